use std::collections::BTreeMap;

use kiln_finding::Severity;
use kiln_vuln::{Cvss, Match, Suppression, Verdict};
use serde_json::{Value, json};

use super::{Scan, words};
use crate::Stamp;

/// CycloneDX 1.6 with vulnerabilities; what was taken out carries its analysis, so that others need not ask again.
pub(crate) fn render(scans: &[Scan], stamp: &Stamp) -> String {
    let found = || {
        scans.iter().flat_map(|scan| {
            scan.report
                .matches
                .iter()
                .map(|found| (found, None))
                .chain(scan.report.suppressed.iter().map(|taken| (&taken.found, Some(&taken.by))))
        })
    };
    let packages: BTreeMap<&str, &Match> =
        found().map(|(found, _)| (found.package.as_str(), found)).collect();
    let components = packages.values().map(|found| {
        json!({"type": "library", "bom-ref": found.package, "name": found.name, "version": found.version, "purl": found.package})
    });
    let subject = scans.first().map_or_else(|| json!({"type": "container", "name": "none"}), subject);
    // What a list of vulnerabilities alone would hide.
    let said = scans.iter().flat_map(|scan| words::unknown(scan).into_iter().chain(words::notices(scan)));
    let properties = said.map(|text| json!({"name": "kiln:said", "value": text})).collect::<Vec<_>>();
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "properties": properties,
        "metadata": {
            "timestamp": stamp.time,
            "tools": {"components": [{"type": "application", "name": "kiln", "version": stamp.version}]},
            "component": subject,
        },
        "components": components.collect::<Vec<_>>(),
        "vulnerabilities": found().map(|(found, by)| vulnerability(found, by)).collect::<Vec<_>>(),
    })
    .to_string()
}

fn subject(scan: &Scan) -> Value {
    let mut value = json!({"type": "container", "bom-ref": "subject", "name": scan.name});
    if let Some(digest) = &scan.digest {
        value["version"] = json!(digest.to_string());
    }
    value
}

fn vulnerability(found: &Match, by: Option<&Suppression>) -> Value {
    let source = |id: &str| json!({"name": publisher(id)});
    let mut value = json!({
        "id": found.id,
        "source": source(&found.id),
        "references": found.aliases.iter().map(|id| json!({"id": id, "source": source(id)})).collect::<Vec<_>>(),
        "ratings": [rating(found.severity, found.cvss.as_ref())],
        "recommendation": words::fix(found),
        "affects": [{"ref": found.package}],
    });
    if !found.cwes.is_empty() {
        value["cwes"] = json!(found.cwes);
    }
    if let Some(published) = found.published {
        value["published"] = json!(format!("{published}T00:00:00Z"));
    }
    if let Some(by) = by {
        value["analysis"] = analysis(by);
    }
    value
}

fn publisher(id: &str) -> &'static str {
    match id.split('-').next() {
        Some("GHSA") => "GitHub Advisory Database",
        Some("CVE") => "NVD",
        Some("CGA") => "Wolfi",
        _ => "OSV",
    }
}

fn rating(severity: Severity, cvss: Option<&Cvss>) -> Value {
    let mut rating = json!({"severity": match severity {
        Severity::Negligible => "info",
        other => other.as_str(),
    }});
    if let Some(cvss) = cvss {
        rating["score"] = json!(cvss.score);
        rating["vector"] = json!(cvss.vector);
        rating["method"] = json!(match cvss.vector.split('/').next() {
            Some("CVSS:4.0") => "CVSSv4",
            Some("CVSS:3.1") => "CVSSv31",
            Some("CVSS:3.0") => "CVSSv3",
            _ => "CVSSv2",
        });
    }
    rating
}

fn analysis(by: &Suppression) -> Value {
    let detail = by.explain();
    match by {
        Suppression::Exception { .. } => {
            json!({"state": "exploitable", "response": ["will_not_fix"], "detail": detail})
        }
        Suppression::Vex { status, .. } if status == "fixed" => {
            json!({"state": "resolved", "detail": detail})
        }
        Suppression::Distribution { verdict: Verdict::Fixed, .. } => {
            json!({"state": "resolved", "detail": detail})
        }
        Suppression::Vex { .. } | Suppression::Distribution { .. } => {
            json!({"state": "not_affected", "detail": detail})
        }
    }
}
