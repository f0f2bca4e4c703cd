use std::collections::BTreeMap;

use kiln_pkg::version::{Range, SemVer};
use serde::Deserialize;

use crate::error::{Error, ErrorKind};
use crate::lock::NpmPin;
use crate::source::{Fetch, Place};

/// How large the document on one package may be.
const PACKUMENT_MAX: u64 = 64 << 20;

/// What a registry says of a package. Source: npm/registry, package-metadata.md, the abbreviated form.
#[derive(Debug, Deserialize)]
struct Packument {
    versions: BTreeMap<String, Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    dist: Dist,
    #[serde(default)]
    engines: serde_json::Value,
    #[serde(default)]
    deprecated: serde_json::Value,
}

#[derive(Debug, Deserialize)]
struct Dist {
    tarball: String,
    #[serde(default)]
    integrity: String,
}

/// Which version is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted<'a> {
    /// The newest of a major version.
    Newest(u32),
    /// This one.
    Exact(&'a str),
}

impl std::fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Newest(major) => write!(f, "{major}.x"),
            Self::Exact(version) => f.write_str(version),
        }
    }
}

/// Pins the wanted version of `name`; of a major version only what runs on Node `node`.
pub(crate) fn pin(
    name: &str,
    wanted: Wanted<'_>,
    node: Option<&str>,
    source: &dyn Fetch,
) -> Result<NpmPin, Error> {
    let bytes = source
        .document(&Place::Npm(name.to_owned()), PACKUMENT_MAX)
        .map_err(Error::fetch(format_args!("the versions of {name} from the npm registry")))?;
    let wrong = |why: String| -> Error { ErrorKind::Packument { name: name.to_owned(), why }.into() };
    let packument: Packument = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    let (version, entry) = match wanted {
        Wanted::Exact(version) => packument.versions.get_key_value(version),
        Wanted::Newest(major) => newest(&packument, major, node),
    }
    .ok_or_else(|| ErrorKind::NoVersion { name: name.to_owned(), wanted: wanted.to_string() })?;
    let integrity = crate::pinned::sha512(&entry.dist.integrity)
        .ok_or_else(|| wrong(format!("version {version} has no sha512 integrity")))?;
    let path = tarball_path(name, &entry.dist.tarball)
        .ok_or_else(|| wrong(format!("the tarball of version {version} lies outside of {name}/-/")))?;
    Ok(NpmPin { name: name.to_owned(), version: version.clone(), path, integrity })
}

fn newest<'a>(packument: &'a Packument, major: u32, node: Option<&str>) -> Option<(&'a String, &'a Entry)> {
    let node = node.and_then(SemVer::parse);
    packument
        .versions
        .iter()
        .filter_map(|(text, entry)| Some((SemVer::parse(text)?, text, entry)))
        .filter(|(version, _, entry)| {
            version.major == u64::from(major)
                && !version.is_prerelease()
                && !entry.deprecated.is_string()
                && node.as_ref().is_none_or(|node| entry.runs_on(node))
        })
        .max_by(|(left, ..), (right, ..)| left.cmp(right))
        .map(|(_, text, entry)| (text, entry))
}

impl Entry {
    fn runs_on(&self, node: &SemVer) -> bool {
        let range = self.engines.get("node").and_then(serde_json::Value::as_str);
        range.and_then(Range::parse).is_none_or(|range| range.contains(node))
    }
}

/// The path below the registry, which is all of the address that is kept: `name/-/file.tgz`.
fn tarball_path(name: &str, url: &str) -> Option<String> {
    let (_, file) = url.split_once(&format!("/{name}/-/"))?;
    let plain = !file.is_empty() && !file.contains(['/', '?', '#', '%', '\\']) && !file.starts_with('.');
    plain.then(|| format!("{name}/-/{file}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packument() -> Packument {
        let entry = |version: &str, extra: &str| {
            format!(
                r#""{version}": {{"dist": {{"tarball": "https://a.invalid/tool/-/tool-{version}.tgz",
                "integrity": ""}}{extra}}}"#
            )
        };
        let versions = [
            entry("9.9.9", ""),
            entry("10.9.0", ""),
            entry("10.10.0", r#", "engines": {"node": ">=20"}"#),
            entry("10.11.0", r#", "engines": {"node": "^22.9.0 || >=24"}"#),
            entry("10.12.0", r#", "deprecated": "broken""#),
            entry("10.13.0-rc.1", ""),
        ];
        serde_json::from_str(&format!(r#"{{"versions": {{{}}}}}"#, versions.join(","))).unwrap()
    }

    #[test]
    fn the_newest_that_runs_is_chosen() {
        let packument = packument();
        let choose = |node| newest(&packument, 10, node).map(|(version, _)| version.as_str());
        assert_eq!(choose(Some("20.1.0")), Some("10.10.0"));
        assert_eq!(choose(Some("24.1.0")), Some("10.11.0"));
        assert_eq!(choose(None), Some("10.11.0"));
        assert_eq!(newest(&packument, 8, None).map(|(version, _)| version), None);
    }

    #[test]
    fn of_a_tarball_address_only_the_path_is_kept() {
        let path = |url| tarball_path("tool", url);
        assert_eq!(path("https://a.invalid/npm/tool/-/tool-1.tgz").as_deref(), Some("tool/-/tool-1.tgz"));
        for url in
            ["https://a.invalid/other/-/x.tgz", "https://a.invalid/tool/-/../x", "https://a.invalid/tool/-/"]
        {
            assert_eq!(path(url), None, "{url}");
        }
    }
}
