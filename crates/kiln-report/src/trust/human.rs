use kiln_trust::Outcome;

use super::found::Trust;
use crate::Stamp;
use crate::clean::line as plain;

pub(crate) fn render(trust: &Trust<'_>, stamp: &Stamp) -> String {
    let report = trust.report;
    let mut lines = vec![report.image.to_string()];
    if report.image != *trust.root {
        lines.push(format!("  found in the index {}, by which it is judged, too", trust.root));
    }
    for outcome in &report.outcomes {
        lines.push(format!("  {} {}", mark(outcome), plain(&outcome.name)));
        lines.extend(outcome.unmet.iter().map(|why| format!("                {}", plain(why))));
    }
    if stamp.explains {
        lines.extend(explained(trust));
    } else {
        let rejected = report.rejected();
        lines.extend(rejected.map(|(_, rejection)| format!("  – not counted: {}", plain(&rejection.why))));
    }
    if report.examined.is_empty() && !report.is_satisfied() {
        lines.push(
            "  – nothing is said of this digest; if it is one image of an index, the index may be signed: verify that"
                .to_owned(),
        );
    }
    if report.left_out > 0 {
        lines.push(format!("  – {} more were not looked at: there are too many", report.left_out));
    }
    lines.join("\n")
}

fn mark(outcome: &Outcome) -> &'static str {
    match (outcome.found, outcome.not_known, outcome.unmet.is_empty()) {
        (true, ..) => "✓ verified ",
        (false, true, _) => "? not known",
        (false, false, true) => "✗ missing  ",
        (false, false, false) => "✗ unfit    ",
    }
}

/// Everything that was looked at.
fn explained(trust: &Trust<'_>) -> Vec<String> {
    let report = trust.report;
    let mut lines = vec![String::new()];
    let begin = |at| if at == 0 { "  asked for  " } else { "        and  " };
    lines.extend(trust.asked.iter().enumerate().map(|(at, rule)| format!("{}{}", begin(at), plain(rule))));
    if report.examined.is_empty() {
        lines.push(
            "  found      nothing beside the image: no referrer, and neither of the older tags".to_owned(),
        );
    }
    for examined in &report.examined {
        let level = if examined.about == report.image { "" } else { ", beside the index" };
        lines.push(format!("  found      {} ({}{level})", plain(&examined.place), examined.form));
        let says = examined.predicate_type.iter().map(|kind| format!("says  {}", plain(kind)));
        let signed =
            examined.signer.iter().map(|signer| format!("✓ signed by {}", plain(&signer.to_string())));
        let rejected = examined
            .rejected
            .iter()
            .map(|rejection| format!("✗ {}: {}", rejection.code, plain(&rejection.why)));
        lines.extend(says.chain(signed).chain(rejected).map(|text| format!("             {text}")));
    }
    lines
}
