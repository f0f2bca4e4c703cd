use kiln_policy::{Line, Outcome, Scorecard};

use crate::Stamp;
use crate::documents::junit::{Case, End, Suite, document};

/// A case per check.
pub(crate) fn render(card: &Scorecard, stamp: &Stamp) -> String {
    let suite = Suite { name: card.subject.name.clone(), cases: card.lines.iter().map(case).collect() };
    document("kiln scorecard", &[suite], "no checks", stamp)
}

fn case(line: &Line) -> Case {
    let cure = line.cure.as_ref().map(|cure| format!("\nfix: {cure}")).unwrap_or_default();
    let end = match line.outcome {
        Outcome::Pass => End::Passed,
        Outcome::Fail => End::Failed {
            kind: line.id.clone(),
            message: line.reason.clone(),
            details: format!("{}{cure}", line.reason),
        },
        Outcome::Unknown => End::Error(format!("not known: {}", line.reason)),
        Outcome::NotApplicable | Outcome::Excepted => End::Skipped(line.reason.clone()),
    };
    Case { name: format!("{} {}", line.id, line.title), class: "check".to_owned(), end }
}
