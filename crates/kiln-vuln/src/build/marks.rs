//! What is known of single CVEs, whatever package they are in.

use std::collections::BTreeMap;

use super::draft::Draft;
use super::osv::Record;
use crate::Date;
use crate::judged::{JudgedBy, Judgement};
use crate::score::{Cvss, Epss};

/// What lists say of single CVEs, and how records about other packages judge them.
#[derive(Default)]
pub(super) struct Marks {
    /// Since when each is listed as exploited.
    pub(super) exploited: BTreeMap<String, Date>,
    pub(super) likely: BTreeMap<String, Epss>,
    /// The worst vector that any record about this CVE alone has.
    vectors: BTreeMap<String, Cvss>,
    /// Ubuntu's priorities.
    priorities: BTreeMap<String, Judgement>,
}

impl Marks {
    /// Takes in how a record judges its CVE. Of a record about several nobody can say which it means.
    pub(super) fn judge(&mut self, record: &Record) {
        let Some(cve) = record.only_cve() else { return };
        if let Some(cvss) = record.cvss() {
            let known = self.vectors.entry(cve.to_owned()).or_insert_with(|| cvss.clone());
            if cvss.score > known.score {
                *known = cvss;
            }
        }
        if let Some(priority) = Judgement::new(record.ubuntu_priority(), JudgedBy::UbuntuPriority) {
            self.priorities.insert(cve.to_owned(), priority);
        }
    }

    pub(super) fn mark(&self, draft: &mut Draft) {
        let exploited = draft.ids().filter_map(|id| self.exploited.get(id)).min().copied();
        let likely = draft.ids().filter_map(|id| self.likely.get(id)).max_by_key(|epss| epss.score).copied();
        draft.exploited = exploited;
        draft.epss = likely;
        if draft.judged.is_none() {
            draft.judged = self.elsewhere(draft);
        }
    }

    /// How others judge what its publisher did not.
    fn elsewhere(&self, draft: &Draft) -> Option<Judgement> {
        let vectors = draft.ids().filter_map(|id| self.vectors.get(id));
        let worst = vectors.max_by_key(|cvss| cvss.score);
        let by_vector = worst.and_then(|cvss| Judgement::new(cvss.severity(), JudgedBy::CvssElsewhere));
        by_vector.or_else(|| draft.ids().find_map(|id| self.priorities.get(id)).copied())
    }
}
