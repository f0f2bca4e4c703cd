use kiln_finding::Severity;
use kiln_oci::Digest;
use kiln_pkg::Unread;
use serde::{Deserialize, Serialize};

use crate::{Coverage, Date, Match, Suppressed};

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

impl VulnerabilityReport {
    /// Whether everything was read, and the database answers for all of it.
    pub fn is_complete(&self) -> bool {
        self.unread.is_empty() && self.coverage.iter().all(|coverage| coverage.covered.is_full())
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
