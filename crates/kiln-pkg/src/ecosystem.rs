use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::version;

/// Where a package comes from; decides its purl type, its version order and who publishes its advisories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ecosystem {
    /// Debian packages, and those of its derivatives.
    Deb,
    /// Packages of Alpine, Wolfi and Chainguard.
    Apk,
    /// Packages of the npm registry.
    Npm,
    /// The Node.js runtime itself, found as a binary.
    Node,
    /// Go modules, as a Go binary names those it was built of; Go's standard library is `stdlib`.
    Go,
    /// Python packages.
    #[serde(rename = "pypi")]
    PyPi,
    /// Rust crates, as an auditable binary names those it was built of.
    Cargo,
    /// Java archives, as `group:artifact`. kiln does not know the order of their versions.
    Maven,
}

impl Ecosystem {
    /// Every ecosystem, in the order reports list them.
    pub const ALL: [Self; 8] =
        [Self::Deb, Self::Apk, Self::Npm, Self::Node, Self::Go, Self::PyPi, Self::Cargo, Self::Maven];

    /// The lower-case name used in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deb => "deb",
            Self::Apk => "apk",
            Self::Npm => "npm",
            Self::Node => "node",
            Self::Go => "go",
            Self::PyPi => "pypi",
            Self::Cargo => "cargo",
            Self::Maven => "maven",
        }
    }

    /// The order of two versions by this ecosystem's rules; `None` where one of them is no version of it.
    pub fn compare(self, a: &str, b: &str) -> Option<Ordering> {
        match self {
            Self::Deb => Some(version::deb::compare(a, b)),
            Self::Apk => Some(version::apk::compare(a, b)),
            Self::PyPi => version::pypi::compare(a, b),
            Self::Maven => None,
            Self::Npm | Self::Node | Self::Go | Self::Cargo => {
                let (a, b) = (version::SemVer::parse_bound(a)?, version::SemVer::parse_bound(b)?);
                Some(a.cmp(&b))
            }
        }
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
