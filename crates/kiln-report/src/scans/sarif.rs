use std::collections::BTreeMap;

use kiln_finding::Severity;
use kiln_vuln::{Match, Suppressed, Suppression};
use serde_json::{Value, json};

use super::{Scan, ScanFormat, Stamp, words};
use crate::text::plain;

/// SARIF 2.1.0: a rule per vulnerability, a result per package, what was taken out with its reason.
pub(super) static FORMAT: ScanFormat = ScanFormat { name: "sarif", one: false, render };

fn render(scans: &[Scan], stamp: &Stamp) -> String {
    let found = || {
        scans.iter().flat_map(|scan| {
            scan.report.matches.iter().chain(scan.report.suppressed.iter().map(|taken| &taken.found))
        })
    };
    let by_id: BTreeMap<&str, &Match> = found().map(|found| (found.id.as_str(), found)).collect();
    let ids: Vec<&str> = by_id.keys().copied().collect();
    let results: Vec<Value> = scans
        .iter()
        .flat_map(|scan| {
            let open = scan.report.matches.iter().map(|found| result(scan, found, &ids));
            let taken = scan.report.suppressed.iter().map(|taken| suppressed(scan, taken, &ids));
            open.chain(taken).collect::<Vec<_>>()
        })
        .collect();
    let unknown: Vec<Value> = scans.iter().flat_map(notifications).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "kiln",
                "version": stamp.version,
                "rules": by_id.values().map(|found| rule(found)).collect::<Vec<_>>(),
            }},
            "invocations": [{
                "executionSuccessful": true,
                "endTimeUtc": stamp.time,
                "toolExecutionNotifications": unknown,
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
    .to_string()
}

fn rule(found: &Match) -> Value {
    // What GitHub sorts by: its documentation, "SARIF support for code scanning".
    let score = found
        .cvss
        .as_ref()
        .map_or_else(|| by_severity(found.severity).to_owned(), |cvss| cvss.score.to_string());
    let tags: Vec<String> = ["security".to_owned(), "vulnerability".to_owned()]
        .into_iter()
        .chain(found.cwes.iter().map(|cwe| format!("external/cwe/cwe-{cwe:03}")))
        .collect();
    json!({
        "id": plain(&found.id),
        "name": "Vulnerability",
        "shortDescription": {"text": words::title(found)},
        "help": {"text": words::details(found).join("\n")},
        "defaultConfiguration": {"level": level(found)},
        "properties": {"security-severity": score, "tags": tags},
    })
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

fn level(found: &Match) -> &'static str {
    match found.effective_severity() {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        _ => "note",
    }
}

fn result(scan: &Scan, found: &Match, ids: &[&str]) -> Value {
    let locations: Vec<Value> = found
        .places
        .iter()
        .map(|place| {
            json!({
                "physicalLocation": {"artifactLocation": {"uri": uri(&place.path)}, "region": {"startLine": 1}},
                "logicalLocations": [{"fullyQualifiedName": plain(&format!("{}:/{}", scan.name, place.path)), "kind": "resource"}],
            })
        })
        .collect();
    let here = json!([{"logicalLocations": [{"fullyQualifiedName": plain(&scan.name), "kind": "resource"}]}]);
    json!({
        "ruleId": plain(&found.id),
        "ruleIndex": ids.binary_search(&found.id.as_str()).ok(),
        "level": level(found),
        "message": {"text": words::details(found).join("\n")},
        "locations": if locations.is_empty() { here } else { json!(locations) },
        "partialFingerprints": {"package/v1": format!("{}|{}", plain(&found.id), plain(&found.package))},
    })
}

fn suppressed(scan: &Scan, taken: &Suppressed, ids: &[&str]) -> Value {
    let mut value = result(scan, &taken.found, ids);
    let kind = if matches!(taken.by, Suppression::Exception { .. }) { "inSource" } else { "external" };
    value["suppressions"] = json!([{"kind": kind, "justification": plain(&taken.by.explain())}]);
    value
}

/// What is not known: a clean list of results must not be taken for a clean image.
fn notifications(scan: &Scan) -> Vec<Value> {
    let notify = |text: String| json!({"level": "warning", "message": {"text": plain(&format!("{}: {text}", scan.name))}});
    words::unknown(scan).into_iter().map(notify).collect()
}

fn uri(path: &str) -> String {
    path.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
