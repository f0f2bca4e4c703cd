use kiln_policy::{Line, Outcome, Scorecard};

use crate::documents::sarif::{self, Invocation, Level, Location, Region, Rule, Suppression};
use crate::{Stamp, clean};

/// A rule per check; a result for each that does not pass, and for what is excepted with the reason.
pub(crate) fn render(card: &Scorecard, stamp: &Stamp) -> String {
    let rules: Vec<Rule> = card.lines.iter().map(rule).collect();
    let shown = card.lines.iter().filter(|line| !line.outcome.passes() || line.outcome == Outcome::Excepted);
    let results: Vec<sarif::Outcome> = shown.map(|line| result(card, line)).collect();
    let unknown = card.lines.iter().filter(|line| line.outcome == Outcome::Unknown);
    let unknown =
        unknown.map(|line| format!("{}: {}: {}", card.subject.name, line.id, line.reason)).collect();
    sarif::document(&rules, Some(Invocation { unknown, notices: Vec::new() }), &results, stamp)
}

fn rule(line: &Line) -> Rule {
    Rule {
        id: line.id.clone(),
        name: "Check",
        short: line.title.clone(),
        help: format!("kiln explain {}", line.id),
        is_markdown: false,
        level: Level::Error,
        properties: None,
    }
}

fn result(card: &Scorecard, line: &Line) -> sarif::Outcome {
    let unknown = if line.outcome == Outcome::Unknown { "unknown: " } else { "" };
    let cure = line.cure.as_ref().map(|cure| format!("\nfix: {}", clean::line(cure))).unwrap_or_default();
    let message = format!("{}: {unknown}{}{cure}", clean::line(&line.title), clean::line(&line.reason));
    let name = card.subject.name.clone();
    let excepted = line.outcome == Outcome::Excepted;
    sarif::Outcome {
        // GitHub takes no result without a file, and shows the name of the image in its place.
        locations: vec![Location {
            file: Some((name.clone(), Region::Whole)),
            name: Some(name),
            message: None,
        }],
        fingerprint: Some(("check/v1", line.id.clone())),
        suppression: excepted.then(|| Suppression { is_in_source: true, why: line.reason.clone() }),
        ..sarif::Outcome::new(&line.id, Level::Error, message)
    }
}
