use kiln_pkg::{Ecosystem, Inventory, Package};
use serde::{Deserialize, Serialize};

use crate::lifecycle::is_beyond_known_node;
use crate::{Database, Date, SliceInfo, Terms};

/// How far a database answers for a group of packages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Their ecosystem.
    pub ecosystem: Ecosystem,
    /// Distribution and release, as `debian-13`; empty for npm and Node.js.
    pub release: String,
    /// How many packages.
    pub packages: u64,
    /// The slice of the database that answers for them, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed: Option<String>,
    /// What the database knows of them.
    pub covered: Covered,
    /// Their code is from no registry: what they are called says nothing of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub elsewhere: bool,
    /// Whether that slice names packages that are malware; `None` where nobody collects such of the ecosystem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names_malware: Option<bool>,
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
    /// The same, and that day is longer ago than the limit on the day of judgement.
    Stale {
        /// The day up to which the facts are complete.
        as_of: Date,
        /// Days since then.
        age: u32,
        /// Days after which the feed counts as stale.
        limit: u32,
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
    /// Whether no match means not affected, as of that day, however long ago it is.
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::Stale { .. })
    }

    /// The name of what is known, as formats write it.
    pub fn state(&self) -> &'static str {
        match self {
            Self::Full { .. } => "full",
            Self::Stale { .. } => "stale",
            Self::Partial { .. } => "partial",
            Self::None { .. } => "none",
        }
    }

    /// The same on the day of judgement: what was full may be stale by then.
    pub(crate) fn on(self, feed: &str, terms: &Terms) -> Self {
        let Self::Full { as_of } = self else { return self };
        let age = as_of.age(terms.today);
        match terms.stale_after.of(feed) {
            Some(limit) if age > limit => Self::Stale { as_of, age, limit },
            _ => self,
        }
    }
}

/// Ecosystems in whose feeds malware is collected. Source: OSV, ecosystems of records `MAL-` (OpenSSF, malicious-packages).
pub(crate) fn has_malware_feed(ecosystem: Ecosystem) -> bool {
    matches!(ecosystem, Ecosystem::Npm | Ecosystem::PyPi | Ecosystem::Cargo)
}

/// The slice and release that answer for a package, and how far.
pub(crate) struct Scope<'d> {
    pub(crate) slice: Option<&'d SliceInfo>,
    /// The bit of the release in the spans of the slice; `None` where the slice has no releases.
    pub(crate) bit: Option<u64>,
    pub(crate) release: String,
    pub(crate) covered: Covered,
}

impl Scope<'_> {
    /// The same for a package that the distribution did not build.
    pub(crate) fn of_others(mut self) -> Self {
        self.slice = None;
        let why = "others than the distribution built them, and its advisories do not follow them".to_owned();
        self.covered = Covered::None { why };
        self
    }
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
    if package.ecosystem == Ecosystem::Node && is_beyond_known_node(&package.version) {
        let why = "this kiln does not know this line of Node.js".to_owned();
        scope.covered = Covered::Partial { as_of: slice.as_of, why };
    }
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
