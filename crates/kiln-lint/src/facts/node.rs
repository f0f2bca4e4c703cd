use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::ImageName;

#[derive(Deserialize)]
struct Table {
    line: Vec<Line>,
    codename: BTreeMap<String, u32>,
}

/// A release line of Node.js.
#[derive(Debug, Deserialize)]
pub struct Line {
    /// Its major version.
    pub major: u32,
    /// The last day of its support, `YYYY-MM-DD`.
    pub end: String,
    /// The major version of npm that comes with it.
    pub npm: u32,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    toml::from_str(include_str!("../../data/node.toml")).expect("a test reads the embedded table")
});

#[derive(Deserialize)]
struct Commands {
    npm: BTreeSet<String>,
}

static COMMANDS: LazyLock<Commands> = LazyLock::new(|| {
    toml::from_str(include_str!("../../data/commands.toml")).expect("a test reads the embedded table")
});

/// The release line of that major version.
pub fn line(major: u32) -> Option<&'static Line> {
    TABLE.line.iter().find(|line| line.major == major)
}

/// The line supported longest on that day, of those for production.
pub fn recommended(today: &str) -> u32 {
    /// Where the table knows no line that is still supported.
    const LAST: u32 = 24;
    // The newest even line is for production only from its first autumn on; the one before it always is.
    let living = TABLE.line.iter().filter(|line| line.major % 2 == 0 && line.end.as_str() >= today);
    let mut majors: Vec<u32> = living.map(|line| line.major).collect();
    let newest = majors.pop();
    majors.pop().or(newest).unwrap_or(LAST)
}

/// The line of Node that an image holds, as far as its name says.
pub fn node_major(image: &ImageName) -> Option<u32> {
    if let Some(rest) = image.name.strip_prefix("gcr.io/distroless/nodejs") {
        return rest.split('-').next()?.parse().ok();
    }
    let is_node = image.name == "node" || image.name.ends_with("/node");
    let words = image.tag_words();
    let first = words.first().filter(|_| is_node)?;
    let named = words.iter().find_map(|word| TABLE.codename.get(*word).copied());
    named.or_else(|| first.trim_start_matches('v').split('.').next()?.parse().ok())
}

/// Whether npm has the command.
pub fn is_npm_command(name: &str) -> bool {
    COMMANDS.npm.contains(name)
}

/// Every command of npm.
pub fn npm_commands() -> impl Iterator<Item = &'static str> {
    COMMANDS.npm.iter().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_name_lines() {
        let major = |text: &str| node_major(&ImageName::parse(text));
        assert_eq!(major("node:24.11.1-slim"), Some(24));
        assert_eq!(major("node:lts-jod"), Some(22));
        assert_eq!(major("gcr.io/distroless/nodejs22-debian13"), Some(22));
        assert_eq!(major("node:lts"), None);
        assert_eq!(major("alpine:3"), None);
        assert_eq!(recommended("2026-11-21"), 24);
        assert!(is_npm_command("ci") && !is_npm_command("clean"));
    }
}
