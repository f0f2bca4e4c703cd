use kiln_finding::Severity;
use kiln_vuln::{Fix, Match, VulnerabilityReport};

use crate::advisories::{answered, cures, report};
use crate::verdict::{fail, unknown};
use crate::wording::list;
use crate::{Check, Evidence, Judged, PolicySettings, Stage};

pub(super) static CHECK: Check = Check {
    id: "PK001",
    slug: "fixable-vulnerabilities",
    title: "No fixable critical or high",
    stage: Stage::Built,
    page: include_str!("../../tests/checks/PK001.md"),
    check,
};

fn check(evidence: &Evidence, settings: &PolicySettings) -> Judged {
    let report = report(evidence)?;
    let counted = |found: &&Match| settings.severities.contains(&settings.severity_of(found));
    let fixable: Vec<&Match> =
        report.matches.iter().filter(counted).filter(|found| found.fixed_in().is_some()).collect();
    if !fixable.is_empty() {
        let shown: Vec<String> = fixable.iter().map(|found| show(found)).collect();
        return fail(format!("{} fixable: {}", fixable.len(), list(&shown, 3)), cures(&fixable));
    }
    let unjudged =
        |found: &&Match| settings.severity_of(found) == Severity::Unknown && found.fixed_in().is_some();
    let unjudged: Vec<String> = report.matches.iter().filter(unjudged).map(show).collect();
    if !unjudged.is_empty() {
        let reason = format!("{} with a fix that nobody has judged: {}", unjudged.len(), list(&unjudged, 3));
        return unknown(
            reason,
            "upgrade them, or say how severe such are: [policy] unknown-severity in kiln.toml",
        );
    }
    answered(evidence, settings)?.into_judged(&unfixed(report, settings))
}

fn show(found: &Match) -> String {
    let fixed = found.fixed_in().unwrap_or_default();
    let severity = found.effective_severity();
    format!("{} in {}@{} ({severity}, fixed in {fixed})", found.id, found.name, found.version)
}

/// What is left and does not fail the check, so that nobody takes a pass for "no vulnerabilities".
fn unfixed(report: &VulnerabilityReport, settings: &PolicySettings) -> String {
    let severe =
        report.matches.iter().filter(|found| settings.severities.contains(&settings.severity_of(found)));
    let waiting = severe.filter(|found| found.fixed_in().is_none()).count();
    let less = report.matches.iter().filter(|found| found.fixed_in().is_some()).count();
    let unclear = report.matches.iter().filter(|found| found.fix == Fix::Unknown).count();
    let mut text = vec!["none found".to_owned()];
    let parts =
        [(waiting, "without a fix"), (less, "less severe with a fix"), (unclear, "with no word on a fix")];
    for (number, what) in parts.into_iter().filter(|(number, _)| *number > 0) {
        text.push(format!("{number} {what}"));
    }
    text.join(", ")
}
