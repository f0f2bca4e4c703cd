use kiln_finding::Severity;
use kiln_oci::Digest;
use kiln_pkg::{Ecosystem, Origin, Package, Place, Unread};
use serde::{Deserialize, Serialize};

use crate::{Coverage, Cvss, Date, Epss, Suppressed};

/// What matching an inventory against a database gave. Clean only if there are no matches and [`VulnerabilityReport::is_complete`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VulnerabilityReport {
    /// Vulnerable packages; the worst first, then by package and id.
    pub matches: Vec<Match>,
    /// What was found and does not count, with who says so. Sorted like the matches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suppressed: Vec<Suppressed>,
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
    /// The worst CVSS vector published with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cvss: Option<Cvss>,
    /// Listed by CISA as exploited in the wild.
    pub known_exploited: bool,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exploited_since: Option<Date>,
    /// How likely it is exploited, where the database has probabilities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epss: Option<Epss>,
    /// Kinds of weakness, by their CWE numbers. Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cwes: Vec<u32>,
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
    /// The layer that brings it, and the instruction that made that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<MadeBy>,
    /// Whether it came with the base image, where the image tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The tool whose installation brings it (`npm`): who removes the tool removes the vulnerability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The direct dependencies of the app that bring it in, as `name@version`. Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub direct: Vec<String>,
    /// The shortest way from one of them to the package, both included, as `name@version`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
}

/// A layer and what made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeBy {
    /// Digest of the uncompressed layer.
    pub diff_id: Digest,
    /// The instruction, as the image's history tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruction: Option<String>,
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

impl VulnerabilityReport {
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

    /// Takes out the matches that `why` gives a reason for, and keeps them with it.
    pub fn suppress(&mut self, mut why: impl FnMut(&Match) -> Option<crate::Suppression>) {
        let mut kept = Vec::with_capacity(self.matches.len());
        for found in std::mem::take(&mut self.matches) {
            match why(&found) {
                None => kept.push(found),
                Some(by) => self.suppressed.push(Suppressed { found, by }),
            }
        }
        self.matches = kept;
        self.suppressed.sort_by(|a, b| worst_first(&a.found, &b.found));
    }
}

/// The order of reports.
pub(crate) fn worst_first(a: &Match, b: &Match) -> std::cmp::Ordering {
    (b.severity, b.known_exploited)
        .cmp(&(a.severity, a.known_exploited))
        .then_with(|| (&a.package, &a.id).cmp(&(&b.package, &b.id)))
}

impl Match {
    /// A match of which only this is known.
    pub fn new(id: impl Into<String>, severity: Severity, package: &Package, fix: Fix) -> Self {
        Self {
            id: id.into(),
            aliases: Vec::new(),
            severity,
            cvss: None,
            known_exploited: false,
            exploited_since: None,
            epss: None,
            cwes: Vec::new(),
            published: None,
            package: package.key(),
            ecosystem: package.ecosystem,
            name: package.name.clone(),
            version: package.version.clone(),
            fix,
            places: package.places.clone(),
            layer: None,
            origin: package.origin,
            tool: package.group.clone(),
            direct: package.direct.clone(),
            path: Vec::new(),
        }
    }

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

    /// The id and the aliases.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(self.aliases.iter().map(String::as_str))
    }
}
