use kiln_policy::{ImageSummary, Line, Outcome, Scorecard};

use crate::clean::line as plain;

/// The mark that goes before the word; never alone.
pub(crate) fn mark(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "✓",
        Outcome::Fail => "✗",
        Outcome::Unknown => "?",
        Outcome::NotApplicable => "–",
        Outcome::Excepted => "!",
    }
}

/// The word for it in a table.
pub(crate) fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "pass",
        Outcome::Fail => "FAIL",
        Outcome::Unknown => "unknown",
        Outcome::NotApplicable => "n/a",
        Outcome::Excepted => "excepted",
    }
}

/// `PASSED`, `FAILED`, or `NOT KNOWN` where nothing failed but something could not be looked at.
pub(crate) fn verdict(card: &Scorecard) -> &'static str {
    if card.passes() {
        "PASSED"
    } else if card.has_failed() {
        "FAILED"
    } else {
        "NOT KNOWN"
    }
}

/// The reason of a line with all that it rests on.
pub(crate) fn in_full(line: &Line) -> String {
    let details = line.details.iter().map(String::as_str);
    std::iter::once(line.reason.as_str()).chain(details).collect::<Vec<_>>().join("; ")
}

/// What an image is, in numbers, one part each.
pub(crate) fn parts(summary: &ImageSummary) -> Vec<String> {
    let mut parts = Vec::new();
    if let Some(size) = summary.size {
        let tenths = size.compressed.saturating_add(50_000) / 100_000;
        let layers = if size.layers == 1 { "1 layer".to_owned() } else { format!("{} layers", size.layers) };
        parts.push(format!("{}.{} MB in {layers}", tenths / 10, tenths % 10));
    }
    parts.extend(summary.base.as_ref().map(|base| format!("on {}", plain(base))));
    parts.extend(summary.node.iter().map(|node| format!("Node.js {}", plain(node))));
    let packages: Vec<String> =
        summary.packages.iter().map(|(ecosystem, count)| format!("{count} {ecosystem}")).collect();
    if !packages.is_empty() {
        parts.push(format!("{} packages", packages.join(" + ")));
    }
    parts.extend(vulnerabilities(summary));
    parts
}

fn vulnerabilities(summary: &ImageSummary) -> Option<String> {
    let counts = summary.vulnerabilities.as_ref()?;
    let counts: Vec<String> =
        counts.iter().rev().map(|(severity, count)| format!("{count} {severity}")).collect();
    let ended = (!summary.end_of_life.is_empty())
        .then(|| format!("end of life: {}", plain(&summary.end_of_life.join(", "))));
    let found = if counts.is_empty() { "no known vulnerabilities".to_owned() } else { counts.join(", ") };
    let found = match ended {
        Some(ended) if counts.is_empty() => ended,
        Some(ended) => format!("{found}; {ended}"),
        None => found,
    };
    let stale = if summary.stale { ", stale" } else { "" };
    Some(match summary.advisories {
        Some(as_of) if summary.covered => format!("{found} (advisories of {as_of}{stale})"),
        Some(as_of) => format!("{found} where advisories answer ({as_of}{stale})"),
        None => found,
    })
}
