use std::collections::BTreeMap;
use std::sync::LazyLock;

use kiln_text::Glob;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::{ImageName, node_major};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    base: Vec<Base>,
    glibc: BTreeMap<String, String>,
    node_debian: BTreeMap<String, String>,
    dead: Vec<Dead>,
}

/// What an image holds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// What people call it.
    pub name: String,
    #[serde(deserialize_with = "globs")]
    images: Vec<Glob>,
    #[serde(default)]
    tag: Vec<String>,
    #[serde(default)]
    without: Vec<String>,
    /// `debian`, `alpine`, `ubuntu`, `wolfi`, `distroless` or `other`.
    pub os: String,
    /// Its C library.
    pub libc: Libc,
    /// The user that commands run as.
    pub uid: u32,
    /// A user other than root that it has.
    pub account: Option<String>,
    /// The number of that user.
    pub account_uid: Option<u32>,
    /// It has a shell.
    pub shell: bool,
    /// It is a full Debian with compilers.
    #[serde(default)]
    pub is_fat: bool,
    #[serde(default)]
    managers: Vec<String>,
    #[serde(default)]
    managers_to_25: Vec<String>,
    #[serde(default)]
    managers_to_24: Vec<String>,
    /// Programs that a health check may look for.
    #[serde(default)]
    pub tools: Vec<String>,
    /// `ENTRYPOINT`
    #[serde(default)]
    pub entrypoint: Vec<String>,
    /// The entrypoint starts Node if it is given no program.
    #[serde(default)]
    pub wraps: bool,
    /// `CMD`
    #[serde(default)]
    pub cmd: Vec<String>,
    /// `WORKDIR`, where it is not `/`.
    pub workdir: Option<String>,
    /// Where Node is.
    pub node_path: Option<String>,
    /// Node is found by its name.
    #[serde(default)]
    pub node_on_path: bool,
    /// The major version of npm, where it does not follow from Node's.
    pub npm: Option<u32>,
}

/// A C library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Libc {
    /// The GNU C library.
    Glibc,
    /// musl, of Alpine.
    Musl,
    /// Not known.
    Unknown,
}

/// A name that gets no updates.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dead {
    #[serde(deserialize_with = "glob")]
    image: Glob,
    #[serde(default)]
    tag: Vec<String>,
    /// The whole tag must be one of `tag`, or start with one and a dot.
    #[serde(default)]
    exact: bool,
    /// A fragment that fits after the name.
    pub why: String,
    instead: String,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    toml::from_str(include_str!("../../data/bases.toml")).expect("a test reads the embedded table")
});

fn glob<'de, D: Deserializer<'de>>(from: D) -> Result<Glob, D::Error> {
    Glob::parse(&String::deserialize(from)?).map_err(D::Error::custom)
}

fn globs<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Glob>, D::Error> {
    Vec::<String>::deserialize(from)?.iter().map(|text| Glob::parse(text).map_err(D::Error::custom)).collect()
}

/// What the image of that name holds; `None` where it is not known.
pub fn base_of(image: &ImageName) -> Option<&'static Base> {
    TABLE.base.iter().find(|base| base.fits(image))
}

impl Base {
    fn fits(&self, image: &ImageName) -> bool {
        // `latest-dev` is one word here.
        let tag = image.tag.as_deref().unwrap_or("latest");
        let has = |word: &String| {
            tag.split('-').any(|part| part.starts_with(word.as_str())) || tag.starts_with(word.as_str())
        };
        self.images.iter().any(|pattern| pattern.is_match(&image.name))
            && self.tag.iter().all(has)
            && !self.without.iter().any(has)
    }

    /// The package managers it has, for a line of Node.
    pub fn managers(&self, major: Option<u32>) -> Vec<&str> {
        let upto = |limit: u32| major.is_none_or(|major| major <= limit);
        let mut managers: Vec<&str> = self.managers.iter().map(String::as_str).collect();
        if upto(25) {
            managers.extend(self.managers_to_25.iter().map(String::as_str));
        }
        if upto(24) {
            managers.extend(self.managers_to_24.iter().map(String::as_str));
        }
        managers
    }
}

/// The version of the GNU C library of an image.
pub fn glibc_of(image: &ImageName) -> Option<(u32, u32)> {
    let base = base_of(image).filter(|base| base.libc == Libc::Glibc)?;
    if base.os == "wolfi" {
        return version(TABLE.glibc.get("wolfi")?);
    }
    let in_name = image.name.rsplit('-').next().into_iter();
    let words: Vec<&str> = image.tag_words().into_iter().chain(in_name).collect();
    // A bare number is the version of Debian only in Debian's own tags.
    let is_number = |word: &str| word.starts_with(|char: char| char.is_ascii_digit());
    let may_be_number = matches!(base.os.as_str(), "debian" | "ubuntu") && base.node_path.is_none();
    let known = words.iter().filter(|word| may_be_number || !is_number(word)).find_map(|word| {
        TABLE.glibc.get(*word).or_else(|| TABLE.glibc.get(word.split('.').next().unwrap_or(word)))
    });
    let of_node = || {
        let major = node_major(image).filter(|_| image.name == "node")?;
        TABLE.glibc.get(TABLE.node_debian.get(&major.to_string())?)
    };
    version(known.or_else(of_node)?)
}

fn version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Whether an image gets no updates, and what does.
pub fn dead_name(image: &ImageName) -> Option<(&'static Dead, String)> {
    let tag = image.tag.as_deref().unwrap_or("latest");
    let dead = TABLE.dead.iter().find(|dead| {
        let fits = |word: &String| {
            let is_it = |part: &str| part == word || part.starts_with(&format!("{word}."));
            if dead.exact { is_it(tag) } else { tag.split('-').any(is_it) }
        };
        dead.image.is_match(&image.name) && (dead.tag.is_empty() || dead.tag.iter().any(fits))
    })?;
    let major = node_major(image).map_or_else(|| "24".to_owned(), |major| major.to_string());
    Some((dead, dead.instead.replace("{major}", &major)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> &'static str {
        base_of(&ImageName::parse(text)).map_or("", |base| base.name.as_str())
    }

    #[test]
    fn images_have_facts() {
        assert_eq!(base("node:24-alpine3.23"), "official Node on Alpine");
        assert_eq!(base("node:24-bookworm-slim"), "official Node, slim");
        assert_eq!(base("docker.io/library/node"), "official Node");
        assert_eq!(base("gcr.io/distroless/nodejs24-debian13:nonroot"), "distroless Node, nonroot");
        assert_eq!(base("cgr.dev/chainguard/node:latest-dev"), "Chainguard Node, for building");
        assert_eq!(base("dhi.io/node:24-alpine3.23-dev"), "Docker Hardened Node, for building, on Alpine");
        assert_eq!(base("example.invalid/app"), "");
        assert_eq!(base_of(&ImageName::parse("node:26")).unwrap().managers(Some(26)), ["npm"]);
    }

    #[test]
    fn c_libraries_have_versions() {
        let glibc = |text: &str| glibc_of(&ImageName::parse(text));
        assert_eq!(glibc("node:24"), Some((2, 36)));
        assert_eq!(glibc("node:26-slim"), Some((2, 41)));
        assert_eq!(glibc("node:24.13-trixie-slim"), Some((2, 41)));
        assert_eq!(glibc("gcr.io/distroless/nodejs24-debian13"), Some((2, 41)));
        assert_eq!(glibc("debian:12-slim"), Some((2, 36)));
        assert_eq!(glibc("ubuntu:24.04"), Some((2, 39)));
        assert_eq!(glibc("node:24-alpine"), None);
        assert_eq!(glibc("node:lts"), None);
    }

    #[test]
    fn the_dead_are_known() {
        let dead = |text: &str| dead_name(&ImageName::parse(text)).map(|(_, instead)| instead);
        assert_eq!(
            dead("gcr.io/distroless/nodejs22-debian12").unwrap(),
            "gcr.io/distroless/nodejs22-debian13"
        );
        assert!(dead("gcr.io/distroless/nodejs24").is_some());
        assert!(dead("node:20-buster-slim").is_some() && dead("alpine:3.9.2").is_some());
        for text in
            ["gcr.io/distroless/nodejs24-debian13:nonroot", "node:24-alpine3.23", "alpine:3.23", "debian:12"]
        {
            assert_eq!(dead(text), None, "{text}");
        }
    }
}
