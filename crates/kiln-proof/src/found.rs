//! What lies beside an image and may be a signed statement about it: listed, put into an order by what costs nothing, and opened until
//! the question is answered or the budget is spent.

mod budget;
mod candidate;
mod opening;

use std::collections::{BTreeSet, VecDeque};

use kiln_attest::{attached, legacy};
use kiln_finding::Failure;
use kiln_image::{Listed, Source};
use kiln_oci::{Descriptor, Digest};
use kiln_trust::{Evidence, Form, TrustReport, Unseen};

use self::budget::Budget;
pub(crate) use self::candidate::BUNDLE_PREDICATE;
use self::candidate::{Candidate, ordered};
use self::opening::{open, signatures};

/// How many are opened before it is looked whether that is enough. Most images have no more beside them; where there are more, only those
/// that say that they are what is asked for.
const FIRST: usize = 16;
/// The endings of the tags that the older forms lie under.
const LEGACY_ENDINGS: [&str; 2] = ["sig", "att"];
/// How many things that are not known of one list are told of, each by itself.
const UNKNOWN_MAX: usize = 10;

/// How far a search goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Until the question is answered.
    Enough,
    /// As far as the budget reaches.
    All,
}

/// What lies beside an image, and beside the index that it was found through.
pub struct Found<'a, S: Source> {
    place: &'a S,
    /// What was not opened yet.
    waiting: VecDeque<Candidate>,
    evidence: Vec<Evidence>,
    /// What lists say of what could not be read.
    unread: Vec<Unseen>,
    budget: Budget,
    /// How many are opened next.
    first: usize,
}

impl<'a, S: Source + Sync> Found<'a, S> {
    /// Lists what lies beside the image and beside `root`, through which it was found, and in `root` where that is an index. An index
    /// holds the digests of its images, so that who signs one signs them. What cannot be listed is nothing that is known: nobody may
    /// take it for nothing.
    pub fn about(place: &'a S, root: &Descriptor, image: &Descriptor) -> Result<Self, Failure> {
        // Whatever waits for others is over when the time is, so that nobody who answers slowly takes more of it.
        place.allow(Some(budget::TIME_MAX));
        let mut found = Self {
            place,
            waiting: VecDeque::new(),
            evidence: Vec::new(),
            unread: Vec::new(),
            budget: Budget::start(),
            first: FIRST,
        };
        let index = kiln_images::index_of(place, root)?.unwrap_or_default();
        // What is written into an index is about its images.
        let attached = index.manifests.iter().filter(|entry| attached::is_about(entry, &image.digest));
        found.list(&image.digest, attached.cloned());
        if root.digest != image.digest {
            found.list(&root.digest, std::iter::empty());
        }
        Ok(found)
    }

    /// What lies beside one digest.
    fn list(&mut self, about: &Digest, attached: impl Iterator<Item = Descriptor>) {
        let mut seen = BTreeSet::new();
        let listed = self.place.referrers(about).map_err(Failure::from);
        let listed = self.listed(about, "what refers to it", listed);
        for referrer in listed.into_iter().chain(attached) {
            if seen.insert(referrer.digest) {
                self.waiting.push_back(Candidate::manifest(*about, referrer));
            }
        }
        for ending in LEGACY_ENDINGS {
            let tag = legacy::tag(about, ending);
            let tagged = self.place.resolve_all(&tag).map_err(Failure::from);
            for manifest in self.listed(about, &tag, tagged) {
                let layers = signatures(self.place, about, &tag, &manifest, &mut self.budget);
                let layers = self.known(about, &tag, layers);
                self.waiting.extend(layers.into_iter().filter(|layer| seen.insert(layer.key())));
            }
        }
    }

    /// What is known; nothing, and that something is not, where there is only a reason why not.
    fn known<T>(&mut self, about: &Digest, place: &str, result: Result<Vec<T>, String>) -> Vec<T> {
        result.unwrap_or_else(|why| {
            self.not_known(about, place, why);
            Vec::new()
        })
    }

    /// The same of a list, parts of which may not be known.
    fn listed(&mut self, about: &Digest, place: &str, result: Result<Listed, Failure>) -> Vec<Descriptor> {
        let Listed { found, unknown } = match result {
            Ok(listed) => listed,
            Err(failure) => Listed { found: Vec::new(), unknown: vec![failure.told()] },
        };
        let count = unknown.len();
        for why in unknown.into_iter().take(UNKNOWN_MAX) {
            self.not_known(about, place, why);
        }
        if count > UNKNOWN_MAX {
            self.not_known(
                about,
                place,
                format!("{} others are not understood, either", count - UNKNOWN_MAX),
            );
        }
        found
    }

    fn not_known(&mut self, about: &Digest, place: &str, why: String) {
        self.evidence.push(Evidence { about: *about, place: place.to_owned(), form: Form::Unread(why) });
        self.unread.push(Unseen { about: Some(*about), ..Unseen::default() });
    }

    /// The verdict over what is there. `verify` is given what was opened so far; it is asked again whenever more was.
    pub fn judged(&mut self, depth: Depth, verify: impl Fn(&[Evidence]) -> TrustReport) -> TrustReport {
        let wanted: Vec<String> =
            verify(&[]).outcomes.into_iter().map(|outcome| outcome.predicate_type).collect();
        self.order(&wanted);
        loop {
            let left_out: Vec<Unseen> = self.waiting.iter().map(|candidate| candidate.hint.clone()).collect();
            let mut report = verify(&self.evidence).leaving(&left_out, &self.unread);
            if report.is_satisfied() && depth == Depth::Enough {
                report.left_out = 0;
                return report;
            }
            if !self.open_more() {
                return report;
            }
        }
    }

    /// Everything that can be opened, each with the place it was found at; and how much was left, or could not be read.
    pub fn all(&mut self) -> (&[Evidence], usize) {
        self.order(&[]);
        self.budget.widen();
        while self.open_more() {}
        (&self.evidence, self.waiting.len() + self.unread.len())
    }

    fn order(&mut self, wanted: &[String]) {
        let (waiting, likely) = ordered(std::mem::take(&mut self.waiting), wanted);
        self.first = if waiting.len() <= FIRST { FIRST } else { likely.clamp(1, FIRST) };
        self.waiting = waiting;
    }

    /// Opens the next ones; false where there are none, or the budget is spent.
    fn open_more(&mut self) -> bool {
        let count = std::mem::replace(&mut self.first, usize::MAX);
        let count = self.budget.opens(count.min(self.waiting.len()));
        let next: Vec<Candidate> = self.waiting.drain(..count).collect();
        for opened in open(self.place, &next, &mut self.budget) {
            self.evidence.push(opened.evidence);
            self.unread.extend(opened.unread);
        }
        count > 0
    }
}

impl<S: Source> Drop for Found<'_, S> {
    fn drop(&mut self) {
        self.place.allow(None);
    }
}

#[cfg(test)]
mod tests;
