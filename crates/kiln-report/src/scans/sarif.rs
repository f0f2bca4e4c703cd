use std::collections::BTreeMap;

use kiln_finding::Severity;
use kiln_vuln::{Match, Suppressed};
use serde_json::json;

use super::{Scan, words};
use crate::Stamp;
use crate::documents::sarif::{Invocation, Level, Location, Outcome, Region, Rule, Suppression, document};

/// A rule per vulnerability, a result per package, what was taken out with its reason.
pub(crate) fn render(scans: &[Scan], stamp: &Stamp) -> String {
    let found = || {
        scans.iter().flat_map(|scan| {
            scan.report.matches.iter().chain(scan.report.suppressed.iter().map(|taken| &taken.found))
        })
    };
    let by_id: BTreeMap<&str, &Match> = found().map(|found| (found.id.as_str(), found)).collect();
    let rules: Vec<Rule> = by_id.values().map(|found| rule(found)).collect();
    let results = |scan: &Scan| -> Vec<Outcome> {
        let open = scan.report.matches.iter().map(|found| result(scan, found));
        open.chain(scan.report.suppressed.iter().map(|taken| suppressed(scan, taken))).collect()
    };
    let results: Vec<Outcome> = scans.iter().flat_map(results).collect();
    let said = |scan: &Scan| {
        words::unknown(scan).into_iter().map(|text| format!("{}: {text}", scan.name)).collect::<Vec<_>>()
    };
    let unknown = scans.iter().flat_map(said).collect();
    let noticed =
        |scan: &Scan| words::notices(scan).map(|text| format!("{}: {text}", scan.name)).collect::<Vec<_>>();
    let notices = scans.iter().flat_map(noticed).collect();
    document(&rules, Some(Invocation { unknown, notices }), &results, stamp)
}

fn rule(found: &Match) -> Rule {
    // What GitHub sorts by: its documentation, "SARIF support for code scanning".
    let score = found
        .cvss
        .as_ref()
        .map_or_else(|| by_severity(found.severity).to_owned(), |cvss| cvss.score.to_string());
    let tags: Vec<String> = ["security".to_owned(), "vulnerability".to_owned()]
        .into_iter()
        .chain(found.cwes.iter().map(|cwe| format!("external/cwe/cwe-{cwe:03}")))
        .collect();
    Rule {
        id: found.id.clone(),
        name: "Vulnerability",
        short: words::title(found),
        help: words::details(found).join("\n"),
        is_markdown: false,
        level: level(found),
        properties: Some(json!({"security-severity": score, "tags": tags})),
    }
}

fn by_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Negligible | Severity::Unknown => "0.0",
    }
}

fn level(found: &Match) -> Level {
    match found.effective_severity() {
        Severity::Critical | Severity::High => Level::Error,
        Severity::Medium => Level::Warning,
        _ => Level::Note,
    }
}

fn result(scan: &Scan, found: &Match) -> Outcome {
    let mut locations: Vec<Location> = found
        .places
        .iter()
        .map(|place| Location {
            file: Some((place.path.clone(), Region::Whole)),
            name: Some(format!("{}:/{}", scan.name, place.path)),
            message: None,
        })
        .collect();
    if locations.is_empty() {
        locations.push(Location { name: Some(scan.name.clone()), ..Location::default() });
    }
    Outcome {
        locations,
        fingerprint: Some(("package/v1", format!("{}|{}", found.id, found.package))),
        ..Outcome::new(&found.id, level(found), words::details(found).join("\n"))
    }
}

fn suppressed(scan: &Scan, taken: &Suppressed) -> Outcome {
    let is_in_source = matches!(taken.by, kiln_vuln::Suppression::Exception { .. });
    let suppression = Suppression { is_in_source, why: taken.by.explain() };
    Outcome { suppression: Some(suppression), ..result(scan, &taken.found) }
}
