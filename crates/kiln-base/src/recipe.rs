use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// The release lines of Node that bases are composed for, oldest first.
pub const NODE_LINES: [u32; 4] = [20, 22, 24, 26];

/// The line that is used where nobody chooses.
pub const NODE_DEFAULT: u32 = 24;

/// A release of Debian.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Distribution {
    /// Debian 13, trixie.
    #[default]
    #[serde(rename = "13")]
    Debian13,
    /// Debian 12, bookworm.
    #[serde(rename = "12")]
    Debian12,
}

impl Distribution {
    /// The number of the release.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debian13 => "13",
            Self::Debian12 => "12",
        }
    }

    pub(crate) fn recipe(self) -> &'static Debian {
        &RECIPE.debian[self.as_str()]
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Distribution {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "13" | "debian13" | "trixie" => Ok(Self::Debian13),
            "12" | "debian12" | "bookworm" => Ok(Self::Debian12),
            _ => Err(format!("`{text}` is not a Debian release kiln composes from; use 13 or 12")),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recipe {
    debian: BTreeMap<String, Debian>,
    node: BTreeMap<String, Node>,
    pub(crate) runtime: Runtime,
    pub(crate) builder: Builder,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Debian {
    pub(crate) codename: String,
    pub(crate) version: String,
    pub(crate) runtime: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Node {
    pub(crate) npm: u32,
    pub(crate) pnpm: u32,
    pub(crate) yarn: u32,
    #[serde(default)]
    pub(crate) packages: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Runtime {
    pub(crate) drop: Vec<String>,
    pub(crate) keep: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Builder {
    pub(crate) packages: Vec<String>,
    pub(crate) native: Vec<String>,
    pub(crate) skip: Vec<String>,
    pub(crate) drop: Vec<String>,
    pub(crate) keep: Vec<String>,
    pub(crate) links: Vec<(String, String)>,
}

/// The recipe that is compiled in.
pub(crate) static RECIPE: LazyLock<Recipe> = LazyLock::new(|| {
    toml::from_str(include_str!("../recipe.toml"))
        .expect("the recipe is part of kiln and is read by its tests")
});

impl Recipe {
    pub(crate) fn node(&self, line: u32) -> Result<&Node, Error> {
        self.node.get(&line.to_string()).ok_or_else(|| {
            let known = NODE_LINES.map(|line| line.to_string()).join(", ");
            ErrorKind::NodeLine { line, known }.into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recipe_knows_every_release_and_line() {
        for distribution in [Distribution::Debian13, Distribution::Debian12] {
            assert_eq!(distribution.recipe().version, distribution.as_str());
            assert_eq!(distribution.recipe().codename.parse(), Ok(distribution));
        }
        for line in NODE_LINES {
            assert!(RECIPE.node(line).is_ok());
        }
        assert!(RECIPE.node(18).is_err());
    }
}
