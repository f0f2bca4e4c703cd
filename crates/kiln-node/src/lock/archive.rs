//! What the address of a registry's archive says is in it: package managers fetch that, whatever a lock file calls it.

use kiln_text::percent;

/// A package as the registry's address of its archive names it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Archive {
    pub(super) name: String,
    /// `None` where the file's name does not tell.
    pub(super) version: Option<String>,
}

impl Archive {
    /// Reads `https://host/path/NAME/-/FILE-VERSION.tgz#hash`. Source: npm's registry API, `dist.tarball`.
    pub(super) fn of(address: &str) -> Option<Self> {
        let path = address.split_once("://")?.1.split(['#', '?']).next()?;
        let decoded = percent::decode_loosely(path);
        let decoded = String::from_utf8_lossy(&decoded);
        let (above, file) = decoded.split_once("/-/")?;
        let mut parts = above.rsplit('/');
        let (last, scope) = (parts.next()?, parts.next()?);
        if last.is_empty() {
            return None;
        }
        let name = if scope.starts_with('@') { format!("{scope}/{last}") } else { last.to_owned() };
        // Some registries repeat the scope before the file.
        let file = file.rsplit('/').next().and_then(|file| file.strip_suffix(".tgz"));
        let version = file.and_then(|file| file.strip_prefix(last)?.strip_prefix('-'));
        let is_version =
            |version: &&str| version.starts_with(|c: char| c.is_ascii_digit()) && version.contains('.');
        Some(Self { name, version: version.filter(is_version).map(str::to_owned) })
    }

    /// Puts what is fetched in place of what a lock file calls it. An entry without a version stays one.
    pub(super) fn tell(self, name: &mut String, version: &mut String) {
        *name = self.name;
        if let Some(fetched) = self.version.filter(|_| !version.is_empty()) {
            *version = fetched;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_what_they_hold() {
        let read = |address| Archive::of(address).map(|one| (one.name, one.version.unwrap_or_default()));
        let is = |name: &str, version: &str| Some((name.to_owned(), version.to_owned()));
        for (address, expected) in [
            ("https://npm.example.invalid/minimist/-/minimist-0.0.8.tgz", is("minimist", "0.0.8")),
            ("https://host.invalid/api/npm/all/@s/b/-/b-1.0.0-rc.1.tgz#c0ffee", is("@s/b", "1.0.0-rc.1")),
            ("https://host.invalid/@s/b/-/@s/b-1.0.0.tgz", is("@s/b", "1.0.0")),
            ("https://host.invalid/@s%2fb/-/b-1.0.0.tgz?x=1", is("@s/b", "1.0.0")),
            ("https://host.invalid/a/-/a-v1.tgz", is("a", "")),
            ("https://host.invalid/a/-/other-1.0.0.tgz", is("a", "")),
            ("https://host.invalid/-/a-1.0.0.tgz", None),
            ("https://host.invalid/a.tgz", None),
            ("git+https://host.invalid/a/b.git#1", None),
        ] {
            assert_eq!(read(address), expected, "{address}");
        }
    }
}
