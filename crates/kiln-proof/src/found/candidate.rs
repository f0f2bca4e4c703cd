//! What may be a statement, by what its listing says, and the order in which such are opened.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use kiln_attest::predicate::{self, is_meant};
use kiln_attest::{attached, legacy};
use kiln_oci::{Descriptor, Digest, media_type};
use kiln_trust::Unseen;

/// What a manifest with a bundle says of it. Source: sigstore, `specs/BUNDLE_SPEC.md` of cosign.
pub(crate) const BUNDLE_PREDICATE: &str = "dev.sigstore.bundle.predicateType";
/// When a manifest was made. Source: image-spec, annotations.md.
const CREATED: &str = "org.opencontainers.image.created";
/// How types begin that announce signatures and signed statements.
const ANNOUNCING: [&str; 5] = [
    "application/vnd.dev.sigstore.",
    "application/vnd.dev.cosign.simplesigning.",
    "application/vnd.dev.cosign.artifact.sig.",
    "application/vnd.dev.cosign.artifact.att.",
    "application/vnd.dsse.",
];

/// Something beside an image or an index that may hold a statement about it.
pub(super) struct Candidate {
    /// What it must be about.
    pub(super) about: Digest,
    /// Where it lies, for people.
    pub(super) place: String,
    /// A manifest, or a layer of a tag of older cosign.
    pub(super) content: Descriptor,
    /// What its listing says.
    pub(super) hint: Unseen,
    kind: Kind,
}

/// What a listing makes of something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A signature or a statement under a tag.
    Layer,
    /// A manifest that may hold one.
    Manifest,
    /// A manifest that says that it holds something else.
    Foreign,
}

impl Candidate {
    pub(super) fn manifest(about: Digest, content: Descriptor) -> Self {
        let kind = if is_foreign(&content) { Kind::Foreign } else { Kind::Manifest };
        let predicate_type = content.annotations.get(BUNDLE_PREDICATE).cloned();
        let since = content.annotations.get(CREATED).and_then(|text| text.parse::<Timestamp>().ok());
        let since = since.map(Timestamp::as_second);
        let hint = Unseen { about: Some(about), predicate_type, since };
        Self { about, place: content.digest.to_string(), content, hint, kind }
    }

    /// A layer under `tag`, which announces a statement, whatever its type is.
    pub(super) fn layer(about: Digest, tag: &str, content: Descriptor) -> Self {
        let predicate_type = match content.media_type.as_str() {
            legacy::SIGNATURE_TYPE => Some(predicate::SIGNATURE.to_owned()),
            legacy::STATEMENT_TYPE => content.annotations.get(legacy::PREDICATE_TYPE).cloned(),
            _ => None,
        };
        let hint = Unseen { about: Some(about), predicate_type, since: None };
        Self { about, place: tag.to_owned(), content, hint, kind: Kind::Layer }
    }

    /// Whether its listing says that it holds something else than statements.
    pub(super) fn is_foreign(&self) -> bool {
        self.kind == Kind::Foreign
    }

    pub(super) fn is_layer(&self) -> bool {
        self.kind == Kind::Layer
    }

    /// Tells it from others beside the same digest: layers of one content may have several signatures.
    pub(super) fn key(&self) -> Digest {
        let signature =
            self.content.annotations.get(legacy::SIGNATURE).map(String::as_str).unwrap_or_default();
        Digest::of(format!("{} {signature}", self.content.digest).as_bytes())
    }

    /// Which of the wanted types it says that it is; as many as there are where it does not say, or nothing particular is wanted; `None`
    /// where it says that it is another.
    fn wanted(&self, wanted: &[String]) -> Option<usize> {
        if wanted.is_empty() {
            return Some(0);
        }
        match (&self.hint.predicate_type, self.kind) {
            (_, Kind::Foreign) => None,
            (None, _) => Some(wanted.len()),
            (Some(said), _) => wanted.iter().position(|wanted| is_meant(wanted, said)),
        }
    }
}

/// Whether a listing says that something is neither a bundle nor anything that may hold a statement. Lists of older writers say of bundles
/// that they are empty, or nothing.
fn is_foreign(content: &Descriptor) -> bool {
    let Some(kind) = content.artifact_type.as_deref() else { return attached::is_attached(content) };
    let is_open = matches!(kind, "" | media_type::EMPTY | media_type::CONFIG)
        || announces_statement(kind)
        || kind.starts_with(legacy::ARTIFACT_TYPES);
    !is_open
}

/// Whether a type is that of a statement or of what holds one, also in a version or a spelling that kiln does not read.
pub(super) fn announces_statement(kind: &str) -> bool {
    let kind = kind.trim().to_ascii_lowercase();
    ANNOUNCING.iter().any(|start| kind.starts_with(start))
}

/// In the order in which they are opened: those that may be wanted first, each kind of them in turn, so that no kind hides another; of
/// a kind, the newest and the oldest in turn. Where something lies decides nothing. With that, how many may be wanted.
pub(super) fn ordered(candidates: VecDeque<Candidate>, wanted: &[String]) -> (VecDeque<Candidate>, usize) {
    let mut queues: BTreeMap<(bool, Digest, Option<usize>, Kind), Vec<Candidate>> = BTreeMap::new();
    // What was listed last was most often made last.
    for candidate in candidates.into_iter().rev() {
        let asked = candidate.wanted(wanted);
        queues.entry((asked.is_none(), candidate.about, asked, candidate.kind)).or_default().push(candidate);
    }
    let mut ranked: Vec<(bool, usize, Candidate)> = Vec::new();
    for ((is_other, ..), mut queue) in queues {
        queue.sort_by_key(|candidate| std::cmp::Reverse(candidate.hint.since));
        let count = queue.len();
        // Newest, oldest, second newest, second oldest.
        let rank = |at: usize| if at < count.div_ceil(2) { 2 * at } else { 2 * (count - 1 - at) + 1 };
        ranked.extend(queue.into_iter().enumerate().map(|(at, candidate)| (is_other, rank(at), candidate)));
    }
    ranked.sort_by_key(|(is_other, rank, _)| (*is_other, *rank));
    let likely = ranked.iter().filter(|(is_other, ..)| !is_other).count();
    (ranked.into_iter().map(|(_, _, candidate)| candidate).collect(), likely)
}

#[cfg(test)]
mod tests;
