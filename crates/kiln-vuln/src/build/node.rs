//! Node.js core: affected is what `vulnerable` holds and `patched` does not.

use kiln_pkg::version::{Interval, Range, SemVer};

use super::draft::{DraftBound, DraftSpan};
use super::osv::{Record, draft, lines};
use super::{Feed, Packages};
use crate::Error;
use crate::database::Status;
use crate::error::ErrorKind;

pub(super) fn read(feed: &Feed<'_>) -> Result<Packages, Error> {
    let bad = |why| ErrorKind::Feed { feed: feed.name.to_owned(), why };
    let mut packages = Packages::new();
    for record in lines::<Record>(feed.name, feed.lines) {
        let record = record?;
        let runs_on_linux =
            |environments: &Vec<String>| environments.iter().any(|name| name == "all" || name == "linux");
        if !record.database_specific.affected_environments.as_ref().is_none_or(runs_on_linux) {
            continue;
        }
        for affected in &record.affected {
            let specific = &affected.database_specific;
            let vulnerable =
                specific.vulnerable.as_deref().ok_or_else(|| bad("a record has no `vulnerable`"))?;
            let vulnerable = Range::parse(vulnerable).ok_or_else(|| bad("`vulnerable` is no range"))?;
            let patched = specific.patched.as_deref().unwrap_or_default();
            let patched = if patched.is_empty() {
                Range { intervals: Vec::new() }
            } else {
                Range::parse(patched).ok_or_else(|| bad("`patched` is no range"))?
            };
            let spans =
                vulnerable.intervals.iter().flat_map(|interval| subtract(interval, &patched)).collect();
            let mut draft = draft(&record, spans);
            draft.prefer(&["CVE-"]);
            packages.entry(affected.package.name.clone()).or_default().push(draft);
        }
    }
    Ok(packages)
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
