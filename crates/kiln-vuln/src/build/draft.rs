use std::collections::BTreeSet;

use crate::Date;
use crate::database::Status;
use crate::judged::Judgement;
use crate::score::{Cvss, Epss};

/// An advisory about one package, before it is encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) id: String,
    pub(super) aliases: BTreeSet<String>,
    /// How severe it is, and who says so.
    pub(super) judged: Option<Judgement>,
    pub(super) cvss: Option<Cvss>,
    pub(super) exploited: Option<Date>,
    pub(super) epss: Option<Epss>,
    pub(super) cwes: BTreeSet<u32>,
    pub(super) published: Option<Date>,
    /// The later of publication and last change; the newer of two records about the same thing wins.
    pub(super) newest: Option<Date>,
    /// Left behind by its publisher: it gives way to any record of the same package with the same spans.
    pub(super) stale: bool,
    pub(super) spans: Vec<DraftSpan>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DraftSpan {
    /// Name of the release it holds for; `None` for all.
    pub(super) release: Option<String>,
    pub(super) status: Status,
    pub(super) low: Option<String>,
    pub(super) low_exclusive: bool,
    pub(super) high: DraftBound,
}

/// [`crate::Bound`] with its own text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DraftBound {
    Open,
    Fixed(String),
    Last(String),
    Below(String),
    Unknown,
}

impl DraftBound {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Fixed(text) | Self::Last(text) | Self::Below(text) => Some(text),
            Self::Open | Self::Unknown => None,
        }
    }

    /// Its number in the format.
    pub(super) fn kind(&self) -> u8 {
        match self {
            Self::Open => 0,
            Self::Fixed(_) => 1,
            Self::Last(_) => 2,
            Self::Below(_) => 3,
            Self::Unknown => 4,
        }
    }
}

impl Draft {
    /// A draft of which only this is known.
    pub(super) fn new(id: String, judged: Option<Judgement>) -> Self {
        Self {
            id,
            aliases: BTreeSet::new(),
            judged,
            cvss: None,
            exploited: None,
            epss: None,
            cwes: BTreeSet::new(),
            published: None,
            newest: None,
            stale: false,
            spans: Vec::new(),
        }
    }

    /// The id and the aliases.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(self.aliases.iter().map(String::as_str))
    }

    /// Makes the id that begins with the first of `prefixes` that any has the main one, and the others aliases.
    pub(super) fn prefer(&mut self, prefixes: &[&str]) {
        let best = prefixes
            .iter()
            .find_map(|prefix| self.ids().find(|id| id.starts_with(prefix)).map(str::to_owned));
        if let Some(best) = best.filter(|best| *best != self.id) {
            self.aliases.remove(&best);
            let old = std::mem::replace(&mut self.id, best);
            self.aliases.insert(old);
        }
    }
}
