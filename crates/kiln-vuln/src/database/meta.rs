use kiln_oci::Digest;
use kiln_pkg::Ecosystem;
use serde::{Deserialize, Serialize};

use crate::Date;

/// What one slice of a database holds, and from whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SliceInfo {
    /// Short name, as `npm` or `debian`.
    pub name: String,
    /// The ecosystem whose packages it is about; `None` for lists that only mark other advisories (`kev`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ecosystem: Option<Ecosystem>,
    /// Os-release ids it answers for; empty where the ecosystem knows no distributions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub distros: Vec<String>,
    /// The releases it knows, in the order of the bits of a span; empty where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<Release>,
    /// Who published the facts, and under which licence.
    pub source: String,
    /// The day up to which the feed is complete; its age is counted from here.
    pub as_of: Date,
    /// The newest date of any record in the feed.
    pub newest: Date,
    /// Advisories, counted once however many packages they name.
    pub advisories: u64,
    /// Packages named.
    pub packages: u64,
    /// How many of the advisories are about packages that are malware themselves.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub malware: u64,
    /// How many of the advisories have a severity; `None` where the database is older than the question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<u64>,
    /// Where the slice begins, in bytes from the end of the meta.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
    /// SHA-256 of these bytes.
    pub digest: Digest,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What a slice knows of one release of a distribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// `VERSION_ID` of Debian, `v3.20` or `edge` of Alpine; empty for rolling distributions.
    pub name: String,
    /// The newest date of the facts about this release.
    pub newest: Date,
    /// The feed follows every package of this release, so a package that is not listed is not affected. Without this, only
    /// some fixed vulnerabilities are known.
    pub complete: bool,
}
