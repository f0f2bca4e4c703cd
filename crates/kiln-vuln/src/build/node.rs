//! Node.js core: affected is what `vulnerable` holds and `patched` does not. Source: nodejs/is-my-node-vulnerable.

use std::collections::BTreeMap;

use kiln_finding::Severity;
use kiln_pkg::version::{Interval, Range, SemVer};
use serde::Deserialize;

use super::draft::{Draft, DraftBound, DraftSpan};
use super::feed::{Feed, Packages};
use super::osv::{Record, draft, lines};
use crate::Error;
use crate::database::Status;
use crate::error::ErrorKind;
use crate::judged::{JudgedBy, Judgement};

/// The package that a Node.js runtime is.
const NODE: &str = "node";

/// An entry of the index as its project publishes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default)]
    cve: Vec<String>,
    vulnerable: String,
    #[serde(default)]
    patched: String,
    severity: Option<String>,
    affected_environments: Option<Vec<String>>,
}

/// What the maintainers say of vulnerabilities in the libraries that Node.js bundles.
#[derive(Deserialize)]
struct Assessment {
    cve: Vec<String>,
    status: String,
}

pub(super) fn read(feed: &Feed<'_>) -> Result<Packages, Error> {
    let mut packages = Packages::new();
    for record in lines::<Record>(feed.name, feed.lines) {
        for (name, drafts) in of_record(feed.name, &record?)? {
            packages.entry(name).or_default().extend(drafts);
        }
    }
    for assessment in lines::<Assessment>(feed.name, feed.supplement.unwrap_or_default()) {
        let assessment = assessment?;
        if assessment.status == "not_affected" {
            let drafts = assessment.cve.into_iter().map(never);
            packages.entry(NODE.to_owned()).or_default().extend(drafts);
        }
    }
    Ok(packages)
}

/// What a record in the OSV shape says, which keeps the ranges of the index beside its own.
pub(super) fn of_record(feed: &str, record: &Record) -> Result<Packages, Error> {
    let bad = |why| ErrorKind::Feed { feed: feed.to_owned(), why };
    let mut packages = Packages::new();
    if record.withdrawn.is_some() || !runs_on_linux(record.database_specific.affected_environments.as_deref())
    {
        return Ok(packages);
    }
    for affected in &record.affected {
        let Some(package) = &affected.package else { continue };
        let specific = &affected.database_specific;
        let vulnerable = specific.vulnerable.as_deref().ok_or_else(|| bad("a record has no `vulnerable`"))?;
        let spans = affected_spans(feed, vulnerable, specific.patched.as_deref().unwrap_or_default())?;
        let mut draft = draft(record, spans);
        draft.prefer(&["CVE-"]);
        packages.entry(package.name.clone()).or_default().push(draft);
    }
    Ok(packages)
}

/// The index as its project publishes it: entries by number.
pub(super) fn index(name: &str, bytes: &[u8]) -> Result<Packages, Error> {
    let entries: BTreeMap<String, Entry> = serde_json::from_slice(bytes)
        .map_err(|source| ErrorKind::Document { feed: name.to_owned(), source })?;
    let mut drafts = Vec::new();
    for (number, entry) in entries {
        if !runs_on_linux(entry.affected_environments.as_deref()) {
            continue;
        }
        let severity = entry.severity.as_deref().map_or(Severity::Unknown, Severity::read);
        let mut draft = Draft {
            aliases: entry.cve.into_iter().collect(),
            spans: affected_spans(name, &entry.vulnerable, &entry.patched)?,
            ..Draft::new(format!("NSWG-CORE-{number}"), Judgement::new(severity, JudgedBy::Publisher))
        };
        draft.prefer(&["CVE-"]);
        drafts.push(draft);
    }
    Ok(Packages::from([(NODE.to_owned(), drafts)]))
}

fn runs_on_linux(environments: Option<&[String]>) -> bool {
    environments.is_none_or(|names| names.iter().any(|name| name == "all" || name == "linux"))
}

fn affected_spans(feed: &str, vulnerable: &str, patched: &str) -> Result<Vec<DraftSpan>, Error> {
    let bad = |why| ErrorKind::Feed { feed: feed.to_owned(), why };
    let vulnerable = Range::parse(vulnerable).ok_or_else(|| bad("`vulnerable` is no range"))?;
    let patched = if patched.is_empty() {
        Range { intervals: Vec::new() }
    } else {
        Range::parse(patched).ok_or_else(|| bad("`patched` is no range"))?
    };
    Ok(vulnerable.intervals.iter().flat_map(|interval| subtract(interval, &patched)).collect())
}

/// A vulnerability that no version of Node.js has.
fn never(cve: String) -> Draft {
    let span = DraftSpan {
        release: None,
        status: Status::NotAffected,
        low: None,
        low_exclusive: false,
        high: DraftBound::Open,
    };
    Draft { spans: vec![span], ..Draft::new(cve, None) }
}

fn subtract(from: &Interval, patched: &Range) -> Vec<DraftSpan> {
    let mut patched: Vec<&Interval> = patched.intervals.iter().collect();
    patched.sort_by(|a, b| a.low.cmp(&b.low));
    let mut spans = Vec::new();
    let mut low = from.low.clone();
    for patch in patched {
        let ends_before = patch.high.as_ref().is_some_and(|high| *high <= low);
        let starts_after = from.high.as_ref().is_some_and(|high| patch.low >= *high);
        if ends_before || starts_after {
            continue;
        }
        if patch.low > low {
            spans.push(span(&low, DraftBound::Fixed(patch.low.to_string())));
        }
        match &patch.high {
            Some(high) => low = high.clone(),
            None => return spans,
        }
    }
    match &from.high {
        Some(high) if *high <= low => {}
        Some(high) => spans.push(span(&low, DraftBound::Below(high.to_string()))),
        None => spans.push(span(&low, DraftBound::Open)),
    }
    spans
}

fn span(low: &SemVer, high: DraftBound) -> DraftSpan {
    DraftSpan {
        release: None,
        status: Status::Affected,
        low: Some(low.to_string()),
        low_exclusive: false,
        high,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_a_patch_ends_at_the_next_major() {
        let vulnerable = Range::parse("5.x || 20.x").unwrap();
        let patched = Range::parse("^20.20.2").unwrap();
        let spans: Vec<_> =
            vulnerable.intervals.iter().flat_map(|interval| subtract(interval, &patched)).collect();
        assert_eq!(spans.len(), 2);
        assert_eq!(spans[0].high, DraftBound::Below("6.0.0-0".to_owned()));
        assert_eq!(spans[1].high, DraftBound::Fixed("20.20.2".to_owned()));
    }
}
