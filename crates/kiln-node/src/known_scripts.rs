//! What scripts are for that run when packages are installed: a data file, read once.

use std::sync::LazyLock;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scripts {
    needless: Vec<String>,
    desk: Vec<String>,
}

static SCRIPTS: LazyLock<Scripts> = LazyLock::new(|| {
    toml::from_str(include_str!("../data/scripts.toml")).expect("a test reads the embedded table")
});

/// Whether nobody needs the install script of this npm package in an image.
pub fn is_needless_script(package: &str) -> bool {
    SCRIPTS.needless.iter().any(|name| name == package)
}

/// Whether a command of an app's own script is for desks only: it sets up what whoever works on the app has there, or refuses
/// another package manager.
pub fn is_for_desk(command: &str) -> bool {
    let command = command.trim_start();
    SCRIPTS.desk.iter().any(|start| {
        command
            .strip_prefix(start.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '@', ';']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_told_apart() {
        assert!(is_for_desk("husky") && is_for_desk("husky install") && is_for_desk("npx only-allow pnpm"));
        assert!(!is_for_desk("huskyx") && !is_for_desk("prisma generate"));
        assert!(is_needless_script("fsevents") && !is_needless_script("bcrypt"));
    }
}
