use kiln_pkg::{Ecosystem, Inventory, Package};
use serde::{Deserialize, Serialize};

use crate::{Database, Date, SliceInfo};

/// How far a database answers for a group of packages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Their ecosystem.
    pub ecosystem: Ecosystem,
    /// Distribution and release, as `debian-13`; empty for npm and Node.js.
    pub release: String,
    /// How many packages.
    pub packages: u64,
    /// What the database knows of them.
    pub covered: Covered,
}

/// What a database knows of a group of packages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Covered {
    /// Everything its publisher knew on that day.
    Full {
        /// The day up to which the facts are complete.
        as_of: Date,
    },
    /// Some of it; no match does not mean not affected.
    Partial {
        /// The day up to which there are facts.
        as_of: Date,
        /// What is missing.
        why: String,
    },
    /// Nothing. These packages are not clean, they are unknown.
    None {
        /// Why, as a fragment.
        why: String,
    },
}

impl Covered {
    /// Whether no match means not affected (as of that day).
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. })
    }
}

/// The slice and release that answer for a package, and how far.
pub(crate) struct Scope<'d> {
    pub(crate) slice: Option<&'d SliceInfo>,
    /// The bit of the release in the spans of the slice; `None` where the slice has no releases.
    pub(crate) bit: Option<u64>,
    pub(crate) release: String,
    pub(crate) covered: Covered,
}

pub(crate) fn scope<'d>(database: &'d Database<'_>, inventory: &Inventory, package: &Package) -> Scope<'d> {
    let nothing = |release: &str, why: String| Scope {
        slice: None,
        bit: None,
        release: release.to_owned(),
        covered: Covered::None { why },
    };
    let tag = match package.ecosystem {
        Ecosystem::Npm
        | Ecosystem::Node
        | Ecosystem::Go
        | Ecosystem::PyPi
        | Ecosystem::Cargo
        | Ecosystem::Maven => String::new(),
        Ecosystem::Deb | Ecosystem::Apk => {
            let tag = package.distro.clone().or_else(|| Some(inventory.distro.as_ref()?.tag()));
            match tag {
                Some(tag) => tag,
                None => return nothing("", "the image does not say which distribution it is".to_owned()),
            }
        }
    };
    let (id, version) = tag.rsplit_once('-').unwrap_or((&tag, ""));
    let Some(slice) = database.slice(package.ecosystem, (!id.is_empty()).then_some(id)) else {
        let what = if tag.is_empty() { "these packages" } else { "this distribution" };
        return nothing(&tag, format!("the advisory database does not follow {what}"));
    };
    let mut scope = Scope {
        slice: Some(slice),
        bit: None,
        release: tag.clone(),
        covered: Covered::Full { as_of: slice.as_of },
    };
    if slice.releases.is_empty() {
        return scope;
    }
    let name = release_name(package.ecosystem, version);
    let Some(at) = slice.releases.iter().position(|release| release.name == name) else {
        return nothing(
            &tag,
            format!("the advisory database ({}, {}) does not follow this release", slice.name, slice.as_of),
        );
    };
    scope.bit = Some(1 << at.min(63));
    if let Some(release) = slice.releases.get(at).filter(|release| !release.complete) {
        let why = "only some fixed vulnerabilities of this release are known".to_owned();
        scope.covered = Covered::Partial { as_of: release.newest, why };
    }
    scope
}

/// `12.5` is Debian 12; `3.20.3` is Alpine v3.20, and a version with an underscore is edge.
fn release_name(ecosystem: Ecosystem, version: &str) -> String {
    if ecosystem == Ecosystem::Deb {
        let major = version.split('.').next().unwrap_or_default();
        return if major.parse::<u32>().is_ok_and(|major| major < 4) {
            version.to_owned()
        } else {
            major.to_owned()
        };
    }
    if version.contains('_') || version == "edge" {
        return "edge".to_owned();
    }
    let mut parts = version.split('.');
    format!("v{}.{}", parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}
