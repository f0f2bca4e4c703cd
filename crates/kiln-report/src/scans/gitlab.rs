use std::collections::BTreeMap;

use kiln_finding::Severity;
use kiln_oci::Digest;
use kiln_pkg::{Ecosystem, Package};
use kiln_vuln::Match;
use serde_json::{Value, json};

use super::{Scan, words};
use crate::Stamp;
use crate::clean::line as plain;
use crate::documents::gitlab::at_most;

/// GitLab's report of container scanning; of what is no image that of dependency scanning. Source: its security report schemas,
/// version 15.
/// Characters that the schema lets these have.
const NAME_MAX: usize = 255;
const DESCRIPTION_MAX: usize = 1_048_576;
const SOLUTION_MAX: usize = 7000;

pub(crate) fn render(scans: &[Scan], stamp: &Stamp) -> String {
    let tool = json!({"id": "kiln", "name": "kiln", "vendor": {"name": "kiln"}, "version": stamp.version});
    // Without a zone; theirs is UTC.
    let time = stamp.time.trim_end_matches('Z');
    let vulnerabilities: Vec<Value> = scans
        .iter()
        .flat_map(|scan| scan.report.matches.iter().map(|found| vulnerability(scan, found)))
        .collect();
    let messages: Vec<Value> = scans
        .iter()
        .flat_map(|scan| {
            let unknown =
                words::unknown(scan).into_iter().map(|text| json!({"level": "warn", "value": text}));
            unknown.chain(words::notices(scan).map(|text| json!({"level": "info", "value": text})))
        })
        .collect();
    let image = scans.iter().all(|scan| scan.digest.is_some());
    let mut report = json!({
        "version": "15.2.1",
        "scan": {
            "type": if image { "container_scanning" } else { "dependency_scanning" },
            "status": "success",
            "start_time": time,
            "end_time": time,
            "analyzer": tool,
            "scanner": tool,
            "messages": messages,
        },
        "vulnerabilities": vulnerabilities,
        "remediations": [],
    });
    if !image {
        report["dependency_files"] = scans.iter().flat_map(dependency_files).collect();
    }
    report.to_string()
}

fn vulnerability(scan: &Scan, found: &Match) -> Value {
    let id = Digest::of(format!("{}\n{}\n{}", image(scan), found.id, found.package).as_bytes()).hex();
    json!({
        "id": id,
        "name": at_most(&words::title(found), NAME_MAX),
        "description": at_most(&words::details(found).join("\n"), DESCRIPTION_MAX),
        "severity": severity(found.effective_severity()),
        "solution": at_most(&words::fix(found), SOLUTION_MAX),
        "identifiers": found.ids().map(identifier).collect::<Vec<_>>(),
        "links": [],
        "location": location(scan, found),
    })
}

fn location(scan: &Scan, found: &Match) -> Value {
    let dependency = dependency(&found.name, &found.version);
    if scan.digest.is_none() {
        let file = found.places.first().map_or(scan.name.as_str(), |place| &place.path);
        return json!({"file": plain(file), "dependency": dependency});
    }
    let system = scan.inventory.distro.as_ref().map_or_else(|| "unknown".to_owned(), kiln_pkg::Distro::tag);
    json!({"dependency": dependency, "operating_system": plain(&system), "image": image(scan)})
}

fn dependency(name: &str, version: &str) -> Value {
    json!({"package": {"name": plain(name)}, "version": plain(version)})
}

/// The files that packages were read from, each with what it lists.
fn dependency_files(scan: &Scan) -> Vec<Value> {
    let mut files: BTreeMap<&str, Vec<&Package>> = BTreeMap::new();
    for package in &scan.inventory.packages {
        let path = package.places.first().map_or(scan.name.as_str(), |place| &place.path);
        files.entry(path).or_default().push(package);
    }
    let file = |(path, packages): (&str, Vec<&Package>)| {
        let manager = packages.first().map_or("unknown", |package| manager(path, package.ecosystem));
        let listed = packages.iter().map(|package| dependency(&package.name, &package.version));
        json!({"path": plain(path), "package_manager": manager, "dependencies": listed.collect::<Vec<_>>()})
    };
    files.into_iter().map(file).collect()
}

/// As GitLab names it.
fn manager(path: &str, ecosystem: Ecosystem) -> &'static str {
    match path.rsplit('/').next().unwrap_or_default() {
        "yarn.lock" | ".pnp.cjs" | ".pnp.data.json" => "yarn",
        "pnpm-lock.yaml" => "pnpm",
        "bun.lock" => "bun",
        _ => ecosystem.as_str(),
    }
}

/// With a tag, as the schema wants it.
fn image(scan: &Scan) -> String {
    let name = plain(&scan.name);
    let has_tag = name.rsplit('/').next().is_some_and(|last| last.contains(':'));
    if has_tag { name } else { format!("{name}:latest") }
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
