//! Until when release lines are repaired. After that day advisories stop naming them, and what nobody names looks clean.

use std::sync::LazyLock;

use kiln_pkg::{Ecosystem, Inventory, Package};
use serde::{Deserialize, Serialize};

use crate::Date;

/// A release line of something whose publisher says how long it is repaired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseLine {
    /// `node`, or the os-release id of a distribution.
    pub product: &'static str,
    /// Its number, as `24`, `13` or `3.20`.
    pub line: &'static str,
    /// The last day on which it is repaired.
    pub end: Date,
}

/// A release line in use after its last day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EndOfLife {
    /// `node`, or the os-release id of a distribution.
    pub product: String,
    /// Its number.
    pub line: String,
    /// The last day on which it was repaired.
    pub ended: Date,
}

static LINES: LazyLock<Vec<ReleaseLine>> = LazyLock::new(|| {
    let table = include_str!("../data/lifecycles.tsv").lines().filter(|line| !line.starts_with('#'));
    table.map(|line| row(line).expect("a test reads every row of the table")).collect()
});

fn row(text: &'static str) -> Option<ReleaseLine> {
    let mut fields = text.split('\t');
    let (product, line, end) = (fields.next()?, fields.next()?, fields.next()?);
    Some(ReleaseLine { product, line, end: end.parse().ok()? }).filter(|_| fields.next().is_none())
}

/// The lines of `product` that are known, oldest first.
pub fn release_lines(product: &str) -> impl Iterator<Item = &'static ReleaseLine> {
    LINES.iter().filter(move |line| line.product == product)
}

/// The line that `version` of `product` belongs to: Node.js and Debian count by their first number, others by two.
pub fn release_line(product: &str, version: &str) -> Option<&'static ReleaseLine> {
    let numbers = if matches!(product, "node" | "debian") { 1 } else { 2 };
    let version = version.trim_start_matches('v');
    let own: Vec<&str> = version.split('.').take(numbers).collect();
    let own = own.join(".");
    release_lines(product).find(|line| line.line == own)
}

impl EndOfLife {
    /// `Node.js 16`, `debian-10`
    pub fn name(&self) -> String {
        if self.product == "node" {
            format!("Node.js {}", self.line)
        } else {
            format!("{}-{}", self.product, self.line)
        }
    }

    fn of(product: &str, version: &str, today: Date) -> Option<Self> {
        let line = release_line(product, version).filter(|line| line.end < today)?;
        Some(Self { product: product.to_owned(), line: line.line.to_owned(), ended: line.end })
    }
}

/// The release lines among `packages`, and of the distribution, that nobody repairs any more. Sorted, each once.
pub(crate) fn ended<'a>(
    inventory: &'a Inventory,
    packages: impl Iterator<Item = &'a Package>,
    today: Date,
) -> Vec<EndOfLife> {
    let image =
        inventory.distro.as_ref().and_then(|distro| EndOfLife::of(&distro.id, &distro.version, today));
    let of_package = |package: &Package| match package.ecosystem {
        Ecosystem::Node => EndOfLife::of("node", &package.version, today),
        Ecosystem::Deb | Ecosystem::Apk => {
            let (id, version) = package.distro.as_deref()?.rsplit_once('-')?;
            EndOfLife::of(id, version, today)
        }
        _ => None,
    };
    let mut found: Vec<EndOfLife> = image.into_iter().chain(packages.filter_map(of_package)).collect();
    found.sort();
    found.dedup();
    found
}

/// Whether this line of Node.js is newer than all that are known: nobody here can say what its advisories lack.
pub(crate) fn is_beyond_known_node(version: &str) -> bool {
    let major = |text: &str| text.trim_start_matches('v').split('.').next()?.parse::<u32>().ok();
    let newest = release_lines("node").filter_map(|line| major(line.line)).max();
    major(version) > newest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(product: &str, version: &str, today: &str) -> Option<String> {
        EndOfLife::of(product, version, today.parse().unwrap()).map(|ended| ended.name())
    }

    #[test]
    fn lines_end_after_their_last_day() {
        let today = "2026-11-30";
        for (product, version, name) in [
            ("node", "10.24.1", Some("Node.js 10")),
            ("node", "v16.20.2", Some("Node.js 16")),
            ("node", "0.12.18", Some("Node.js 0")),
            ("node", "24.1.0", None),
            ("node", "nightly", None),
            ("debian", "10", Some("debian-10")),
            ("debian", "10.13", Some("debian-10")),
            ("debian", "12", None),
            ("alpine", "3.14.2", Some("alpine-3.14")),
            ("alpine", "3.23.0", None),
            ("alpine", "edge", None),
            ("ubuntu", "20.04", Some("ubuntu-20.04")),
            ("wolfi", "", None),
        ] {
            assert_eq!(told(product, version, today).as_deref(), name, "{product} {version}");
        }
        assert_eq!(told("node", "20.1.0", "2026-04-30"), None);
        assert_eq!(told("node", "20.1.0", "2026-05-01").as_deref(), Some("Node.js 20"));
        assert!(is_beyond_known_node("27.0.0") && !is_beyond_known_node("26.0.0"));
        assert!(!is_beyond_known_node("nightly"));
    }

    #[test]
    fn the_table_has_each_line_once() {
        let rows = include_str!("../data/lifecycles.tsv").lines().filter(|line| !line.starts_with('#'));
        assert!(rows.clone().all(|line| row(line).is_some()));
        for (at, line) in LINES.iter().enumerate() {
            assert!(
                !LINES[..at].iter().any(|other| (other.product, other.line) == (line.product, line.line))
            );
        }
        // Every major line since Node.js 4.
        for major in 4..=26 {
            assert!(release_line("node", &major.to_string()).is_some(), "{major}");
        }
    }
}
