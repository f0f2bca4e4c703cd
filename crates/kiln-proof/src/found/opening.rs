//! What candidates hold, read several at a time, the smallest first.

use std::io::Read;
use std::time::Instant;

use kiln_attest::{attached, legacy};
use kiln_finding::{Class, Failure};
use kiln_image::{Source, read_small};
use kiln_oci::{Descriptor, Digest, Manifest, media_type};
use kiln_trust::{Evidence, Form, Unseen};

use super::budget::Budget;
use super::candidate::{Candidate, announces_statement};

/// Read at the same time.
const THREADS: usize = 8;
/// Layers of one manifest that are opened; a bundle is alone in its own.
const LAYERS_MAX: usize = 50;
/// What one layer of the older forms may hold.
const LAYER_MAX: u64 = 32 << 20;

/// Why something is not read when the time is over.
const LATE: &str = "it is left out: there was no time left";

/// A piece of evidence; with what was said of it where it could not be read.
pub(super) struct Opened {
    pub(super) evidence: Evidence,
    pub(super) unread: Option<Unseen>,
}

/// A layer that is to be read.
struct Layer<'a> {
    of: &'a Candidate,
    content: Descriptor,
}

/// The signatures or statements under a tag of older cosign, each to be opened by itself; or why they cannot be read.
pub(super) fn signatures<S: Source>(
    place: &S,
    about: &Digest,
    tag: &str,
    manifest: &Descriptor,
    budget: &mut Budget,
) -> Result<Vec<Candidate>, String> {
    if !budget.takes(manifest.size) {
        return Err(too_large(manifest.size));
    }
    let bytes = read_small(place, "referrer", manifest).map_err(|error| Failure::from(error).told())?;
    let found: Manifest = serde_json::from_slice(&bytes).map_err(|error| no_manifest(&error))?;
    Ok(found.layers.into_iter().map(|layer| Candidate::layer(*about, tag, layer)).collect())
}

/// Opens candidates and what they hold.
pub(super) fn open<S: Source + Sync>(
    place: &S,
    candidates: &[Candidate],
    budget: &mut Budget,
) -> Vec<Opened> {
    let (affordable, mut opened) =
        within(candidates.iter().collect(), budget, |one: &&Candidate| (*one, &one.content));
    let until = budget.until();
    let held = in_parallel(&affordable, |candidate| layers(place, candidate, until));
    let mut found = Vec::new();
    for (candidate, layers) in affordable.into_iter().zip(held) {
        match layers {
            Ok(layers) => found.extend(layers.into_iter().map(|content| Layer { of: candidate, content })),
            Err(why) => opened.push(unreadable(candidate, why)),
        }
    }
    found.sort_by_key(|layer: &Layer<'_>| layer.content.size);
    let (affordable, unread) = within(found, budget, |layer| (layer.of, &layer.content));
    opened.extend(unread);
    opened.extend(in_parallel(&affordable, |layer| read(place, layer, until)));
    opened
}

/// Those that the budget has room for; the others are not read.
fn within<'a, T>(
    all: Vec<T>,
    budget: &mut Budget,
    content: impl for<'b> Fn(&'b T) -> (&'a Candidate, &'b Descriptor),
) -> (Vec<T>, Vec<Opened>) {
    let (mut affordable, mut unread) = (Vec::new(), Vec::new());
    for one in all {
        let (candidate, content) = content(&one);
        let size = content.size;
        if size <= limit(content) && budget.takes(size) {
            affordable.push(one);
        } else {
            unread.push(unreadable(candidate, too_large(size)));
        }
    }
    (affordable, unread)
}

fn too_large(size: u64) -> String {
    format!("it is left out: {size} bytes are more than may be read")
}

/// What a manifest or a layer may weigh.
fn limit(content: &Descriptor) -> u64 {
    match content.media_type.as_str() {
        kind if media_type::bundle_version(kind).is_some() => kiln_attest::BUNDLE_MAX as u64,
        legacy::SIGNATURE_TYPE | legacy::STATEMENT_TYPE | attached::STATEMENT_TYPE => LAYER_MAX,
        _ => kiln_image::DOCUMENT_MAX,
    }
}

/// The layers of a candidate that may be statements; or why they are not known.
fn layers<S: Source>(place: &S, candidate: &Candidate, until: Instant) -> Result<Vec<Descriptor>, String> {
    if candidate.is_layer() {
        return Ok(vec![candidate.content.clone()]);
    }
    if Instant::now() >= until {
        return Err(LATE.to_owned());
    }
    let bytes =
        read_small(place, "referrer", &candidate.content).map_err(|error| Failure::from(error).told())?;
    let found: Manifest = match serde_json::from_slice(&bytes) {
        Ok(found) => found,
        Err(_) if candidate.is_foreign() => return Ok(Vec::new()),
        Err(error) => return Err(no_manifest(&error)),
    };
    let kinds = [candidate.content.artifact_type.as_ref(), found.artifact_type.as_ref()];
    let is_announced = kinds.into_iter().flatten().any(|kind| announces_statement(kind));
    // A layer of another type is no statement; one whose type announces a statement is told of.
    let is_statement =
        |layer: &Descriptor| is_read(&layer.media_type) || announces_statement(&layer.media_type);
    let layers: Vec<Descriptor> = found.layers.into_iter().filter(is_statement).collect();
    if layers.is_empty() && is_announced {
        return Err("it announces a statement, and holds none in a form that is understood".to_owned());
    }
    if layers.len() > LAYERS_MAX {
        return Err(format!("it holds more than {LAYERS_MAX} statements"));
    }
    Ok(layers)
}

fn no_manifest(error: &serde_json::Error) -> String {
    format!("it is no manifest that is understood: {error}")
}

/// Whether kiln reads layers of a type.
fn is_read(kind: &str) -> bool {
    matches!(kind, legacy::SIGNATURE_TYPE | legacy::STATEMENT_TYPE | attached::STATEMENT_TYPE)
        || media_type::bundle_version(kind).is_some()
}

fn read<S: Source>(place: &S, layer: &Layer<'_>, until: Instant) -> Opened {
    if Instant::now() >= until {
        return unreadable(layer.of, LATE.to_owned());
    }
    let kind = &layer.content.media_type;
    if !is_read(kind) {
        return unreadable(layer.of, format!("statements of type {kind:?} are not understood"));
    }
    let bytes = match content(place, &layer.content) {
        Ok(bytes) => bytes,
        Err(failure) => return unreadable(layer.of, failure.told()),
    };
    let annotations = layer.content.annotations.clone();
    let form = match kind.as_str() {
        legacy::SIGNATURE_TYPE => Form::LegacySignature { payload: bytes, annotations },
        legacy::STATEMENT_TYPE => Form::LegacyStatement { envelope: bytes, annotations },
        attached::STATEMENT_TYPE => Form::Unsigned(bytes),
        _ => Form::Bundle(bytes),
    };
    Opened { evidence: Evidence { about: layer.of.about, place: layer.of.place.clone(), form }, unread: None }
}

fn content<S: Source>(place: &S, layer: &Descriptor) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    place.open(layer)?.read_to_end(&mut bytes).map_err(|error| {
        Failure::new("store.content", Class::Content, format!("read {}", layer.digest))
            .with_cause(error.to_string())
    })?;
    Ok(bytes)
}

fn unreadable(candidate: &Candidate, why: String) -> Opened {
    let evidence =
        Evidence { about: candidate.about, place: candidate.place.clone(), form: Form::Unread(why) };
    // Nobody signs what is written into an index, so that it decides nothing.
    let counts = !attached::is_attached(&candidate.content);
    Opened { evidence, unread: counts.then(|| candidate.hint.clone()) }
}

/// What `work` makes of each, in their order.
fn in_parallel<T: Sync, R: Send>(all: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let share = all.len().div_ceil(THREADS).max(1);
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = all
            .chunks(share)
            .map(|share| scope.spawn(move || share.iter().map(work).collect::<Vec<R>>()))
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("reading does not panic")).collect()
    })
}

#[cfg(test)]
mod tests;
