use std::collections::{BTreeMap, BTreeSet};

use kiln_finding::Severity;

use super::FeedKind;
use super::draft::{Draft, DraftSpan};
use super::feed::Packages;
use crate::Date;
use crate::database::{CVSS, CWES, EPSS, EXPLOITED, JUDGED, Release, SEVERITIES, Status};
use crate::id::put_id;
use crate::wire::{put_number, put_text};

/// The releases that the drafts name, sorted by name, with what is known of each.
pub(super) fn releases(kind: FeedKind, as_of: Date, packages: &Packages) -> Vec<Release> {
    let mut newest: BTreeMap<&str, Option<Date>> = BTreeMap::new();
    let mut followed: BTreeSet<&str> = BTreeSet::new();
    for draft in packages.values().flatten() {
        for span in &draft.spans {
            let Some(release) = span.release.as_deref() else { continue };
            let date = newest.entry(release).or_default();
            *date = (*date).max(draft.newest);
            // Debian's list of DSAs names no release that the CVE feed does not follow as affected without a fix.
            if kind != FeedKind::Debian || span.high == super::draft::DraftBound::Open {
                followed.insert(release);
            }
        }
    }
    let release = |(name, newest): (&str, Option<Date>)| Release {
        name: name.to_owned(),
        newest: newest.unwrap_or(as_of),
        complete: followed.contains(name),
    };
    newest.into_iter().map(release).collect()
}

/// The bytes of a slice; see the format in `database`.
pub(super) fn slice(packages: &Packages, releases: &[Release]) -> Vec<u8> {
    let mut blocks = Vec::new();
    let mut offsets = Vec::with_capacity(packages.len());
    for (name, drafts) in packages {
        offsets.push(blocks.len());
        put_block(&mut blocks, name, drafts, releases);
    }
    let start = 4 + 4 * offsets.len();
    let mut out = Vec::with_capacity(start + blocks.len());
    let narrow = |number: usize| u32::try_from(number).expect("a slice is below 4 GiB");
    out.extend_from_slice(&narrow(offsets.len()).to_le_bytes());
    for offset in offsets {
        out.extend_from_slice(&narrow(start + offset).to_le_bytes());
    }
    out.extend_from_slice(&blocks);
    out
}

fn put_block(out: &mut Vec<u8>, name: &str, drafts: &[Draft], releases: &[Release]) {
    let spans = drafts.iter().flat_map(|draft| &draft.spans);
    let texts: BTreeSet<&str> =
        spans.flat_map(|span| span.low.as_deref().into_iter().chain(span.high.text())).collect();
    let texts: Vec<&str> = texts.into_iter().collect();
    put_text(out, name);
    put_number(out, texts.len() as u64);
    for text in &texts {
        put_text(out, text);
    }
    put_number(out, drafts.len() as u64);
    for draft in drafts {
        put_draft(out, draft, &texts, releases);
    }
}

fn put_draft(out: &mut Vec<u8>, draft: &Draft, texts: &[&str], releases: &[Release]) {
    put_id(out, &draft.id);
    put_number(out, draft.aliases.len() as u64);
    for alias in &draft.aliases {
        put_id(out, alias);
    }
    let severity = draft.judged.map_or(Severity::Unknown, |judged| judged.severity);
    let severity = SEVERITIES.iter().position(|known| *known == severity).unwrap_or(0);
    let flags = [
        (draft.exploited.is_some(), EXPLOITED),
        (draft.cvss.is_some(), CVSS),
        (!draft.cwes.is_empty(), CWES),
        (draft.epss.is_some(), EPSS),
        (draft.judged.is_some(), JUDGED),
    ];
    let flags = flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag).sum::<u8>();
    out.push(severity as u8 | flags);
    put_number(out, u64::from(draft.published.map_or(0, Date::days)));
    put_marks(out, draft);
    let spans = fold_releases(&draft.spans, releases);
    put_number(out, spans.len() as u64);
    for (span, releases) in spans {
        put_span(out, span, releases, texts);
    }
}

/// What the flags announce, in their order.
fn put_marks(out: &mut Vec<u8>, draft: &Draft) {
    if let Some(since) = draft.exploited {
        put_number(out, u64::from(since.days()));
    }
    if let Some(cvss) = &draft.cvss {
        put_text(out, &cvss.vector);
    }
    if !draft.cwes.is_empty() {
        put_number(out, draft.cwes.len() as u64);
        draft.cwes.iter().for_each(|cwe| put_number(out, u64::from(*cwe)));
    }
    if let Some(epss) = draft.epss {
        put_number(out, u64::from(epss.score.parts()));
        put_number(out, u64::from(epss.percentile.parts()));
    }
    if let Some(judged) = draft.judged {
        out.push(judged.by.number());
    }
}

/// Spans that differ only in their release, as one with a bit set.
fn fold_releases<'a>(spans: &'a [DraftSpan], releases: &[Release]) -> Vec<(&'a DraftSpan, u64)> {
    let mut folded: Vec<(&DraftSpan, u64)> = Vec::new();
    for span in spans {
        let at = releases.iter().position(|release| Some(&release.name) == span.release.as_ref());
        let bit = at.map_or(0, |at| 1_u64 << at.min(63));
        let same = |(other, _): &&mut (&DraftSpan, u64)| {
            (other.release.is_none() == span.release.is_none())
                && DraftSpan { release: span.release.clone(), ..(*other).clone() } == *span
        };
        match folded.iter_mut().find(same) {
            Some((_, bits)) => *bits |= bit,
            None => folded.push((span, bit)),
        }
    }
    folded
}

fn put_span(out: &mut Vec<u8>, span: &DraftSpan, releases: u64, texts: &[&str]) {
    let index =
        |text: &str| texts.binary_search(&text).expect("every version of the block is in its table") as u64;
    put_number(out, releases);
    out.push(match span.status {
        Status::Affected => 0,
        Status::NotAffected => 1,
        Status::WontFix => 2,
    });
    put_number(out, span.low.as_deref().map_or(0, |low| 1 + 2 * index(low) + u64::from(span.low_exclusive)));
    out.push(span.high.kind());
    if let Some(text) = span.high.text() {
        put_number(out, index(text));
    }
}
