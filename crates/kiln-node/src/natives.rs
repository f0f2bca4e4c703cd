//! What is known of npm packages with native code, and of those that download what they need: a data file, read once.

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
    portable_from: Option<Since>,
    carried_from: Option<Since>,
    /// Its code fits every line of Node.
    #[serde(default)]
    pub napi: bool,
    /// Without its install script it does not work, in versions that carry no build.
    #[serde(default)]
    pub script: bool,
    /// It works without its native part.
    #[serde(default)]
    pub optional: bool,
    /// Its script generates code, as a script of the app may do as well.
    #[serde(default)]
    generates: bool,
    /// What its script compiles against, where a builder usually lacks that.
    pub libraries: Option<String>,
}

/// A package that downloads something besides itself.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fetcher {
    name: String,
    /// What it downloads.
    pub what: String,
    until: Option<Since>,
    #[serde(default)]
    anyway: bool,
}

/// Major and minor version.
type Since = (u32, u32);

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    toml::from_str(include_str!("../data/natives.toml")).expect("a test reads the embedded table")
});

/// What is known of a package with native code.
pub fn native(name: &str) -> Option<&'static Native> {
    TABLE.package.iter().find(|package| package.name == name)
}

/// What is known of a package that downloads something besides itself.
pub fn fetcher(name: &str) -> Option<&'static Fetcher> {
    TABLE.fetcher.iter().find(|fetcher| fetcher.name == name)
}

impl Native {
    /// Whether an installed copy works with another C library.
    pub fn is_portable(&self, version: &str) -> bool {
        self.portable_from.is_some_and(|from| since(version) >= from)
    }

    /// Whether this version does not work unless its install script runs.
    pub fn needs_script(&self, version: &str) -> bool {
        let is_carried = self.carried_from.or(self.portable_from).is_some_and(|from| since(version) >= from);
        self.script && !self.optional && !is_carried
    }

    /// Whether the package, or one for each system beside it, has an addon that it does not work without.
    pub fn has_addon(&self) -> bool {
        self.script && !self.optional && !self.generates
    }

    /// Whether this version does not work unless its install script compiles it.
    pub fn compiles(&self, version: &str) -> bool {
        self.needs_script(version) && !self.generates
    }
}

impl Fetcher {
    /// Whether this version does not work without what it downloads.
    pub fn is_needed(&self, version: &str) -> bool {
        !self.anyway && self.until.is_none_or(|until| since(version) < until)
    }
}

fn since(version: &str) -> Since {
    let mut parts = version.split(['.', '-']).map(|part| part.parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
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
    }

    #[test]
    fn scripts_are_needed_where_no_build_is_carried() {
        let needed = |name, version| native(name).unwrap().needs_script(version);
        assert!(needed("better-sqlite3", "12.4.1") && needed("bcrypt", "5.1.1") && needed("zeromq", "5.3.1"));
        assert!(!needed("bcrypt", "6.0.0") && !needed("zeromq", "6.8.0") && !needed("sharp", "0.34.1"));
        // ssh2 takes Node's own ciphers without it.
        assert!(!needed("ssh2", "1.17.0"));
    }

    #[test]
    fn downloads_are_needed_up_to_a_version() {
        let needed = |name, version| fetcher(name).unwrap().is_needed(version);
        assert!(needed("prisma", "6.19.0") && !needed("prisma", "7.0.0") && needed("puppeteer", "24.1.0"));
        assert!(!needed("canvas", "3.2.0"));
        assert!(fetcher("express").is_none());
        assert_eq!(fetcher("prisma").unwrap().what, "its engines");
    }
}
