//! What system packages are for.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::RewriteTarget;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Packages {
    compile: Vec<String>,
    fetch: Vec<String>,
    node: Vec<String>,
    init: Vec<String>,
    desk: Vec<String>,
    compat: Vec<String>,
    same: Vec<(String, String)>,
}

static PACKAGES: LazyLock<Packages> = LazyLock::new(|| {
    toml::from_str(include_str!("../data/packages.toml")).expect("a test reads the embedded table")
});

/// What a system package is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Compiling addons.
    Compile,
    /// Fetching while building, or asking for health.
    Fetch,
    /// Starting the app and handing on signals.
    Init,
    /// Nothing that an image needs.
    None,
    /// Running.
    Run,
}

/// What a package is for; a version after `=` does not matter.
pub(crate) fn purpose(package: &str) -> Purpose {
    let name = bare(package);
    let is_in = |list: &[String]| list.iter().any(|one| one == name);
    if is_in(&PACKAGES.compile) || name.ends_with("-dev") {
        Purpose::Compile
    } else if is_in(&PACKAGES.fetch) {
        Purpose::Fetch
    } else if is_in(&PACKAGES.init) {
        Purpose::Init
    } else if is_in(&PACKAGES.node) || is_in(&PACKAGES.desk) || is_in(&PACKAGES.compat) {
        Purpose::None
    } else {
        Purpose::Run
    }
}

/// The name of a package in the package manager `to`, from that of `from`.
pub(crate) fn translate(package: &str, from: &str, to: &str) -> Option<String> {
    if from == to {
        return Some(package.to_owned());
    }
    let name = bare(package);
    let row = PACKAGES
        .same
        .iter()
        .find(|(debian, alpine)| if from == "apt" { debian == name } else { alpine == name })?;
    Some(if to == "apt" { row.0.clone() } else { row.1.clone() })
}

/// Whether the runtime image holds the package without being told.
pub(crate) fn is_there(package: &str, target: &RewriteTarget) -> bool {
    target.has.iter().any(|name| name == bare(package))
}

fn bare(package: &str) -> &str {
    package.split(['=', '<', '>', '~', '@']).next().unwrap_or(package)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_have_a_purpose() {
        for (package, expected) in [
            ("python3", Purpose::Compile),
            ("libcairo2-dev", Purpose::Compile),
            ("curl=7.88", Purpose::Fetch),
            ("tini", Purpose::Init),
            ("vim", Purpose::None),
            ("ffmpeg", Purpose::Run),
        ] {
            assert_eq!(purpose(package), expected, "{package}");
        }
        assert_eq!(translate("ffmpeg", "apk", "apt").as_deref(), Some("ffmpeg"));
        assert_eq!(translate("font-noto", "apk", "apt"), None);
    }
}
