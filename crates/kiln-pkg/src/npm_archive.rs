use kiln_text::percent;

use crate::version::SemVer;

/// What the address of an archive says is in it, where it is one at which registries keep archives. Package managers fetch that, whatever
/// is written beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NpmArchive {
    /// Its name, with its scope.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Hosts of sources and of files that anybody puts there: whatever a path says, they are no registries.
const OF_SOURCES: &[&str] = &["github.com", "githubusercontent.com", "bitbucket.org", "gitlab.com"];
/// GitLab's registry is on the same host.
const REGISTRY_OF_GITLAB: &str = "api/v4/";
/// npm's longest name.
const MAX_NAME: usize = 214;

impl NpmArchive {
    /// Reads `https://host/path/NAME/-/FILE-VERSION.tgz#hash`, where some registries repeat the scope or the version before the file.
    /// Source: npm's registry API, `dist.tarball`.
    pub fn of(address: &str) -> Option<Self> {
        let path = path(address)?;
        let parts: Vec<&str> = path.split('/').collect();
        let mut dashes = parts.iter().enumerate().filter(|(_, part)| **part == "-").map(|(at, _)| at);
        let (dash, None) = (dashes.next()?, dashes.next()) else { return None };
        let (above, below) = (parts.get(..dash)?, parts.get(dash + 1..)?);
        let last = above.last()?;
        let scope =
            above.len().checked_sub(2).and_then(|at| above.get(at)).filter(|one| one.starts_with('@'));
        let name = scope.map_or_else(|| (*last).to_owned(), |scope| format!("{scope}/{last}"));
        let (file, between) = below.split_last()?;
        let stem = file.strip_suffix(".tgz")?;
        let version = stem.strip_prefix(last).and_then(|rest| rest.strip_prefix('-')).unwrap_or(stem);
        let fits = match between {
            [] => true,
            [one] => Some(one) == scope || *one == version,
            _ => false,
        };
        let is_package = fits && is_npm_name(&name) && is_version(version);
        is_package.then(|| Self { name, version: version.to_owned() })
    }

    /// Whether a registry keeps this package there, by any of the ways of registries. Sources: npm's registry API; GitHub Packages; cnpm and its
    /// mirrors; JSR.
    pub fn is_at(name: &str, version: &str, address: &str) -> bool {
        let Some(path) = path(address).filter(|_| is_npm_name(name) && is_version(version)) else {
            return false;
        };
        if let Some(archive) = Self::of(address) {
            return archive.name == name && archive.version == version;
        }
        let last = name.rsplit('/').next().unwrap_or(name);
        let ends_with =
            |end: String| path.strip_suffix(&end).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
        let of_github = format!("download/{name}/{version}/");
        let is_of_github = |path: &str| {
            path.strip_prefix(&of_github).is_some_and(|hash| !hash.is_empty() && !hash.contains('/'))
        };
        is_of_github(&path)
            || ends_with(format!("{name}/download/{last}-{version}.tgz"))
            || ends_with(format!("{name}/download/{name}-{version}.tgz"))
            || ends_with(format!("packages/{name}/{version}/{last}-{version}.tgz"))
            || ends_with(format!("{name}/{version}.tgz"))
    }
}

/// The path of an address without its first slash, where it is written in the one way that everybody reads alike: no other spelling of a
/// scheme, no blanks, backslashes or empty parts, none that lead up, nothing coded but what names hold.
fn path(address: &str) -> Option<String> {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"))?;
    let (authority, path) = rest.split(['#', '?']).next()?.split_once('/')?;
    let host = authority.rsplit('@').next()?;
    let host_name = host.split(':').next()?.to_ascii_lowercase();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if host_name.is_empty() || !host.bytes().all(|byte| is_plain(byte) || b":[]".contains(&byte)) {
        return None;
    }
    let decoded = String::from_utf8(percent::decode(path)?).ok()?;
    let is_part = |part: &str| {
        !matches!(part, "" | "." | "..")
            && part.bytes().all(|byte| is_plain(byte) || b"@+~!*'()".contains(&byte))
    };
    let mut codes =
        path.split('%').skip(1).map(|after| after.get(..2).unwrap_or_default().to_ascii_lowercase());
    let is_known_code = |code: String| ["40", "2f", "2b"].contains(&code.as_str());
    let is_told = decoded.split('/').all(is_part) && codes.all(is_known_code);
    (is_told && !is_of_sources(&host_name, &decoded)).then_some(decoded)
}

fn is_of_sources(host: &str, path: &str) -> bool {
    // Registries of such hosts are called `npm.…`.
    let is_it =
        |of: &&&str| host.strip_suffix(**of).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    OF_SOURCES.iter().find(is_it).is_some_and(|of| {
        !(host.starts_with("npm.") || *of == "gitlab.com" && path.starts_with(REGISTRY_OF_GITLAB))
    })
}

fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && SemVer::parse(text).is_some()
}

/// Whether npm takes a name: an optional scope, then letters, digits, `-._~` (old names have capitals), and no dot in front.
pub fn is_npm_name(name: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~!*'()".contains(&byte))
    };
    match name.strip_prefix('@') {
        _ if name.len() > MAX_NAME => false,
        Some(scoped) => scoped.split_once('/').is_some_and(|(scope, name)| plain(scope) && plain(name)),
        None => plain(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_what_they_hold() {
        let read = |address| NpmArchive::of(address).map(|one| (one.name, one.version));
        let is = |name: &str, version: &str| Some((name.to_owned(), version.to_owned()));
        for (address, expected) in [
            ("https://npm.example.invalid/minimist/-/minimist-0.0.8.tgz", is("minimist", "0.0.8")),
            ("https://host.invalid/api/npm/all/@s/b/-/b-1.0.0-rc.1.tgz#c0ffee", is("@s/b", "1.0.0-rc.1")),
            ("https://host.invalid/@s/b/-/@s/b-1.0.0.tgz", is("@s/b", "1.0.0")),
            ("https://host.invalid/@s%2fb/-/b-1.0.0.tgz?x=1", is("@s/b", "1.0.0")),
            ("https://host.invalid/%40s/b/-/6.4.0/b-6.4.0.tgz", is("@s/b", "6.4.0")),
            ("https://me:pw@host.invalid:8081/b/-/6.4.0.tgz", is("b", "6.4.0")),
            ("https://npm.of.github.com/b/-/b-1.0.0.tgz", is("b", "1.0.0")),
            ("https://gitlab.com/api/v4/projects/1/packages/npm/@s/b/-/@s/b-1.0.0.tgz", is("@s/b", "1.0.0")),
            ("https://host.invalid/a/-/a-v1.tgz", None),
            ("https://host.invalid/a/-/other-1.0.0.tgz", None),
            ("https://host.invalid/-/a-1.0.0.tgz", None),
            ("https://host.invalid/a.tgz", None),
            ("git+https://host.invalid/a/b.git#1", None),
            ("https://gitlab.com/g/proj/-/archive/v1/proj-v1.tar.gz", None),
            ("https://gitlab.com/g/a/-/a-1.0.0.tgz", None),
            ("https://raw.githubusercontent.com/u/r/main/a/-/a-1.0.0.tgz", None),
            ("https://host.invalid/b/-/b-1.0.0.tgz/a/-/a-1.0.0.tgz", None),
        ] {
            assert_eq!(read(address), expected, "{address}");
        }
    }

    #[test]
    fn what_is_spelled_in_another_way_names_nothing() {
        for address in [
            "https://host.invalid/a/./-/a-1.0.0.tgz",
            "https://host.invalid/a//-/a-1.0.0.tgz",
            "https://host.invalid/a/-/./a-1.0.0.tgz",
            "https://host.invalid/b/-/x/../../../a/-/a-1.0.0.tgz",
            "https://host.invalid/b/-/x/%2e%2e/%2e%2e/a/-/a-1.0.0.tgz",
            "https://host.invalid/a/%2d/a-1.0.0.tgz",
            "https://host.invalid/a\\-\\a-1.0.0.tgz",
            "https://host.invalid\\a/-/a-1.0.0.tgz",
            "https://host.invalid/a/\t-/a-1.0.0.tgz",
            "\thttps://host.invalid/a/-/a-1.0.0.tgz",
            "https:/host.invalid/a/-/a-1.0.0.tgz",
            "https:host.invalid/a/-/a-1.0.0.tgz",
            "HTTPS://host.invalid/a/-/a-1.0.0.tgz",
        ] {
            assert_eq!(NpmArchive::of(address), None, "{address}");
            assert!(!NpmArchive::is_at("a", "1.0.0", address), "{address}");
        }
    }

    #[test]
    fn registries_keep_archives_in_their_ways() {
        for address in [
            "https://host.invalid/@s/a/-/a-1.0.0.tgz",
            "https://host.invalid/download/@s/a/1.0.0/c0ffee",
            "https://host.invalid/@s/a/download/@s/a-1.0.0.tgz?cache=0&other_urls=https%3A%2F%2Fx",
            "https://host.invalid/packages/@s/a/1.0.0/a-1.0.0.tgz",
            "https://host.invalid/~/11/@s/a/1.0.0.tgz",
        ] {
            assert!(NpmArchive::is_at("@s/a", "1.0.0", address), "{address}");
            assert!(!NpmArchive::is_at("@s/a", "1.0.1", address), "{address}");
            assert!(!NpmArchive::is_at("@s/b", "1.0.0", address), "{address}");
        }
        for address in [
            "https://host.invalid/download/x.tgz",
            "https://host.invalid/-/x.tgz",
            "https://host.invalid/a.tgz",
        ] {
            assert!(!NpmArchive::is_at("a", "1.0.0", address), "{address}");
        }
    }
}
