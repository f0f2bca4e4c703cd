use kiln_finding::Severity;
use kiln_oci::Digest;
use kiln_pkg::{Unread, Unseen};
use serde::{Deserialize, Serialize};

use crate::{Coverage, Covered, Date, EndOfLife, Match, Suppressed};

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
    /// Release lines among the packages that nobody repairs any more; advisories do not name what is wrong with them since. Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub end_of_life: Vec<EndOfLife>,
    /// What could not be read or judged.
    pub unread: Vec<Unread>,
    /// Code that may be there and that no package tells of, so that no advisory could be asked about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<Unseen>,
    /// Checksum of the database ([`crate::Database::checksum`]).
    pub database: Digest,
    /// The oldest day up to which a slice that was asked is complete; `None` where no slice was asked.
    pub as_of: Option<Date>,
}

impl VulnerabilityReport {
    /// Whether everything was read, is still repaired by somebody, and the database answers for all of it, however old it is.
    pub fn is_complete(&self) -> bool {
        let is_covered = self.coverage.iter().all(|coverage| coverage.covered.is_whole());
        self.unread.is_empty() && self.unseen.is_empty() && self.end_of_life.is_empty() && is_covered
    }

    /// The groups of packages whose advisories are older than the limit.
    pub fn stale(&self) -> impl Iterator<Item = &Coverage> {
        self.coverage.iter().filter(|coverage| matches!(coverage.covered, Covered::Stale { .. }))
    }

    /// How many matches there are of each severity, worst first.
    pub fn counts(&self) -> Vec<(Severity, usize)> {
        counts(&self.matches)
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

/// How many matches there are of each severity, worst first.
pub fn counts(matches: &[Match]) -> Vec<(Severity, usize)> {
    let count = |severity| matches.iter().filter(|found| found.severity == severity).count();
    Severity::ALL.iter().rev().map(|&severity| (severity, count(severity))).collect()
}

/// The order of reports.
pub(crate) fn worst_first(a: &Match, b: &Match) -> std::cmp::Ordering {
    (b.severity, b.known_exploited)
        .cmp(&(a.severity, a.known_exploited))
        .then_with(|| (&a.package, &a.id).cmp(&(&b.package, &b.id)))
}
