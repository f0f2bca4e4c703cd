use kiln_vuln::{Date, Match, Suppression, VulnerabilityReport};
use serde::{Deserialize, Serialize};

use crate::glob::{Images, names};

/// Ids of advisories begin with one of these.
const ADVISORIES: &[&str] = &["CVE-", "GHSA-", "CGA-", "DSA-", "DLA-", "MAL-", "NSWG-"];

/// A failure that somebody answers for, until a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// A check (`IM002`), or one advisory (`CVE-2026-1234`), by any of its ids.
    pub id: String,
    /// Which images, by name. For an advisory also which packages, as `name@version`. A glob ([`kiln_text::Glob`]); `*` alone is
    /// all.
    pub subject: String,
    /// Why this is acceptable.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day it applies.
    pub expires: Date,
}

/// An exception and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExceptionUse {
    /// The exception.
    #[serde(flatten)]
    pub exception: Exception,
    /// What became of it.
    pub state: ExceptionState,
}

/// What became of an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExceptionState {
    /// It was needed and applied.
    Applied,
    /// Nothing needed it.
    Unused,
    /// Its day is past, so it was not asked.
    Expired,
}

/// Takes the matches that `exceptions` excuse on `today` out of the report of the image `name`, where there is one, and says
/// what became of each exception. Whoever judges a report calls this.
pub fn excuse(
    report: Option<&mut VulnerabilityReport>,
    exceptions: &[Exception],
    name: &str,
    today: Date,
) -> Vec<ExceptionUse> {
    let state = |exception: &Exception| {
        if exception.is_expired(today) { ExceptionState::Expired } else { ExceptionState::Unused }
    };
    let mut uses: Vec<ExceptionUse> = exceptions
        .iter()
        .map(|exception| ExceptionUse { exception: exception.clone(), state: state(exception) })
        .collect();
    let excuses: Vec<_> = exceptions.iter().map(|exception| exception.excuses_match(name)).collect();
    let Some(report) = report else { return uses };
    report.suppress(|found| {
        let mut by = None;
        for (used, excuses) in uses.iter_mut().zip(&excuses) {
            if used.state != ExceptionState::Expired && excuses(found) {
                used.state = ExceptionState::Applied;
                by = by.or_else(|| Some(used.exception.suppression()));
            }
        }
        by
    });
    uses
}

impl ExceptionState {
    /// The lower-case name used in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Unused => "unused",
            Self::Expired => "expired",
        }
    }
}

impl Exception {
    pub(crate) fn is_expired(&self, today: Date) -> bool {
        today > self.expires
    }

    /// Whether it excuses this check for the image `name`.
    pub(crate) fn excuses_check(&self, id: &str, name: &str) -> bool {
        self.id == id && Images::of(&self.subject).hold(name)
    }

    /// Which vulnerabilities of the image `name` it excuses.
    pub(crate) fn excuses_match(&self, name: &str) -> impl Fn(&Match) -> bool {
        let (package_names, images) = (names(&self.subject), Images::of(&self.subject));
        let is_image = images.hold(name);
        move |found| {
            let is_named = found.id == self.id || found.aliases.contains(&self.id);
            let package = || format!("{}@{}", found.name, found.version);
            is_named && (is_image || package_names.is_match(&package()))
        }
    }

    /// What is said of a match that it excuses.
    fn suppression(&self) -> Suppression {
        Suppression::Exception {
            reason: self.reason.clone(),
            owner: self.owner.clone(),
            expires: self.expires,
        }
    }

    pub(crate) fn is_about_advisory(&self) -> bool {
        ADVISORIES.iter().any(|start| self.id.len() > start.len() && self.id.starts_with(start))
    }
}
