use kiln_finding::Severity;
use kiln_oci::Digest;
use kiln_vuln::Match;
use serde_json::{Value, json};

use super::{Scan, ScanFormat, Stamp, words};
use crate::text::plain;

/// GitLab's report of container scanning. Source: its security report schemas, version 15.
pub(super) static FORMAT: ScanFormat = ScanFormat { name: "gitlab", one: true, render };

/// Characters that the schema lets these have.
const NAME_MAX: usize = 255;
const DESCRIPTION_MAX: usize = 1_048_576;
const SOLUTION_MAX: usize = 7000;

fn render(scans: &[Scan], stamp: &Stamp) -> String {
    let tool = json!({"id": "kiln", "name": "kiln", "vendor": {"name": "kiln"}, "version": stamp.version});
    // Without a zone; theirs is UTC.
    let time = stamp.time.trim_end_matches('Z');
    let vulnerabilities: Vec<Value> = scans
        .iter()
        .flat_map(|scan| scan.report.matches.iter().map(|found| vulnerability(scan, found)))
        .collect();
    let messages: Vec<Value> = scans
        .iter()
        .flat_map(|scan| words::unknown(scan).into_iter().map(|text| json!({"level": "warn", "value": text})))
        .collect();
    json!({
        "version": "15.2.1",
        "scan": {
            "type": "container_scanning",
            "status": "success",
            "start_time": time,
            "end_time": time,
            "analyzer": tool,
            "scanner": tool,
            "messages": messages,
        },
        "vulnerabilities": vulnerabilities,
        "remediations": [],
    })
    .to_string()
}

fn vulnerability(scan: &Scan, found: &Match) -> Value {
    let image = image(scan);
    let id = Digest::of(format!("{image}\n{}\n{}", found.id, found.package).as_bytes()).hex();
    let system = scan.inventory.distro.as_ref().map_or_else(|| "unknown".to_owned(), kiln_pkg::Distro::tag);
    json!({
        "id": id,
        "name": at_most(&words::title(found), NAME_MAX),
        "description": at_most(&words::details(found).join("\n"), DESCRIPTION_MAX),
        "severity": severity(found.effective_severity()),
        "solution": at_most(&words::fix(found), SOLUTION_MAX),
        "identifiers": found.ids().map(identifier).collect::<Vec<_>>(),
        "links": [],
        "location": {
            "dependency": {"package": {"name": plain(&found.name)}, "version": plain(&found.version)},
            "operating_system": plain(&system),
            "image": image,
        },
    })
}

/// With a tag, as the schema wants it.
fn image(scan: &Scan) -> String {
    let name = plain(&scan.name);
    let has_tag = name.rsplit('/').next().is_some_and(|last| last.contains(':'));
    if has_tag { name } else { format!("{name}:latest") }
}

fn at_most(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

fn identifier(id: &str) -> Value {
    let kind = id.split('-').next().unwrap_or_default().to_ascii_lowercase();
    json!({"type": plain(&kind), "name": plain(id), "value": plain(id)})
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
        Severity::Negligible => "Info",
        Severity::Unknown => "Unknown",
    }
}
