use kiln_finding::Severity;
use kiln_oci::Digest;
use kiln_pkg::{Ecosystem, Place, Unread};
use serde::{Deserialize, Serialize};

use crate::{Coverage, Date};

/// What matching an inventory against a database gave. Clean only if there are no matches and [`Report::is_complete`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Vulnerable packages; the worst first, then by package and id.
    pub matches: Vec<Match>,
    /// How far the database answers, by ecosystem and release. Sorted.
    pub coverage: Vec<Coverage>,
    /// What could not be read or judged.
    pub unread: Vec<Unread>,
    /// Checksum of the database ([`crate::Database::checksum`]).
    pub database: Digest,
    /// The oldest day up to which a slice that was asked is complete; `None` where no slice was asked.
    pub as_of: Option<Date>,
}

/// One vulnerability in one package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// The id it is best known by: GHSA for npm, CVE for the rest, where there is one.
    pub id: String,
    /// Its other ids. Sorted.
    pub aliases: Vec<String>,
    /// As its publisher judged it; unknown where nobody did.
    pub severity: Severity,
    /// Listed by CISA as exploited in the wild.
    pub known_exploited: bool,
    /// When it was published, where the feed says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Date>,
    /// The package, by [`kiln_pkg::Package::key`].
    pub package: String,
    /// Its ecosystem.
    pub ecosystem: Ecosystem,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What removes the vulnerability.
    pub fix: Fix,
    /// Where the package is.
    pub places: Vec<Place>,
}

/// What removes a vulnerability.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Fix {
    /// Another version: the lowest above the installed one that is fixed. For Debian the version of the source package.
    Version {
        /// That version.
        version: String,
    },
    /// There is none yet.
    None,
    /// The distribution decided against one.
    WontFix,
    /// The feed does not say; newer versions may or may not be affected.
    Unknown,
}

impl Report {
    /// Whether everything was read, and the database answers for all of it.
    pub fn is_complete(&self) -> bool {
        self.unread.is_empty() && self.coverage.iter().all(|coverage| coverage.covered.is_full())
    }

    /// Matches of at least `threshold`. One that is exploited in the wild and that nobody has judged counts as high.
    pub fn at_least(&self, threshold: Severity) -> impl Iterator<Item = &Match> {
        self.matches.iter().filter(move |found| found.effective_severity() >= threshold)
    }

    /// How many matches there are of each severity, worst first.
    pub fn counts(&self) -> Vec<(Severity, usize)> {
        let count = |severity| self.matches.iter().filter(|found| found.severity == severity).count();
        Severity::ALL.iter().rev().map(|&severity| (severity, count(severity))).collect()
    }
}

impl Match {
    /// The severity gates judge by: unjudged vulnerabilities that are exploited in the wild are high.
    pub fn effective_severity(&self) -> Severity {
        if self.known_exploited && self.severity == Severity::Unknown {
            Severity::High
        } else {
            self.severity
        }
    }

    /// The version that fixes it, where one is known.
    pub fn fixed_in(&self) -> Option<&str> {
        match &self.fix {
            Fix::Version { version } => Some(version),
            Fix::None | Fix::WontFix | Fix::Unknown => None,
        }
    }
}
