use std::sync::LazyLock;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    package: Vec<Native>,
    fetcher: Vec<Fetcher>,
}

/// An npm package with native code.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Native {
    name: String,
    portable_from: Option<(u32, u32)>,
    /// Its code fits every line of Node.
    #[serde(default)]
    pub napi: bool,
    /// Without its install script it does not work.
    #[serde(default)]
    pub script: bool,
    /// It works without its native part.
    #[serde(default)]
    pub optional: bool,
}

/// A package that downloads while it is installed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fetcher {
    name: String,
    /// What it downloads.
    pub what: String,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    toml::from_str(include_str!("../../data/natives.toml")).expect("a test reads the embedded table")
});

/// What is known of a package with native code.
pub fn native(name: &str) -> Option<&'static Native> {
    TABLE.package.iter().find(|package| package.name == name)
}

/// Whether a package downloads something besides itself.
pub fn fetcher(name: &str) -> Option<&'static Fetcher> {
    TABLE.fetcher.iter().find(|fetcher| fetcher.name == name)
}

impl Native {
    /// Whether an installed copy works with another C library.
    pub fn is_portable(&self, version: &str) -> bool {
        let mut parts = version.split(['.', '-']).map(|part| part.parse::<u32>().unwrap_or(0));
        let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        self.portable_from.is_some_and(|from| version >= from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portability_depends_on_the_version() {
        assert!(native("bcrypt").unwrap().is_portable("6.0.0"));
        assert!(!native("bcrypt").unwrap().is_portable("5.1.1"));
        assert!(!native("sharp").unwrap().is_portable("0.34.1"));
        assert!(native("express").is_none());
        assert_eq!(fetcher("prisma").unwrap().what, "its engines");
    }
}
