//! Debian's security tracker as one JSON document: package, CVE, releases by code name.

use std::collections::BTreeMap;

use kiln_finding::Severity;
use serde::Deserialize;

use super::draft::{Draft, DraftBound, DraftSpan};
use super::feed::Packages;
use crate::Error;
use crate::database::Status;
use crate::error::ErrorKind;
use crate::judged::{JudgedBy, Judgement};

/// Releases by code name. Source: Debian's distro-info-data. `sid` has no version of its own, so nothing is matched by it.
static RELEASES: &[(&str, &str)] = &[
    ("bookworm", "12"),
    ("bullseye", "11"),
    ("buster", "10"),
    ("duke", "15"),
    ("forky", "14"),
    ("jessie", "8"),
    ("stretch", "9"),
    ("trixie", "13"),
    ("wheezy", "7"),
];

type Document = BTreeMap<String, BTreeMap<String, Vulnerability>>;

#[derive(Deserialize)]
struct Vulnerability {
    #[serde(default)]
    releases: BTreeMap<String, Release>,
}

#[derive(Deserialize)]
struct Release {
    status: String,
    #[serde(default)]
    urgency: String,
    fixed_version: Option<String>,
    nodsa_reason: Option<String>,
}

/// The drafts of the tracker by source package.
pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Packages, Error> {
    let document: Document = serde_json::from_slice(bytes)
        .map_err(|source| ErrorKind::Document { feed: name.to_owned(), source })?;
    let mut packages = Packages::new();
    for (package, vulnerabilities) in document {
        for (id, vulnerability) in vulnerabilities {
            let draft = draft(id, &vulnerability);
            if !draft.spans.is_empty() {
                packages.entry(package.clone()).or_default().push(draft);
            }
        }
    }
    Ok(packages)
}

fn draft(id: String, vulnerability: &Vulnerability) -> Draft {
    let severity = vulnerability.releases.values().map(|release| urgency(&release.urgency)).max();
    let judged = severity.and_then(|severity| Judgement::new(severity, JudgedBy::DebianUrgency));
    let mut draft = Draft::new(id, judged);
    for (code_name, release) in &vulnerability.releases {
        let known = RELEASES.iter().find(|(known, _)| known == code_name);
        draft.spans.extend(known.and_then(|(_, number)| span(number, release)));
    }
    draft
}

/// What holds for one release; `None` where the tracker does not know yet.
fn span(number: &str, release: &Release) -> Option<DraftSpan> {
    let whole = |status, high| {
        Some(DraftSpan { release: Some(number.to_owned()), status, low: None, low_exclusive: false, high })
    };
    match (release.status.as_str(), release.fixed_version.as_deref()) {
        ("resolved", Some("0")) => whole(Status::NotAffected, DraftBound::Open),
        ("resolved", Some(fixed)) => whole(Status::Affected, DraftBound::Fixed(fixed.to_owned())),
        ("open", _) if release.urgency == "end-of-life" => whole(Status::WontFix, DraftBound::Open),
        ("open", _) if release.nodsa_reason.as_deref() == Some("ignored") => {
            whole(Status::WontFix, DraftBound::Open)
        }
        ("open", _) => whole(Status::Affected, DraftBound::Open),
        _ => None,
    }
}

/// Asterisks mark an urgency that the tracker worked out itself.
pub(super) fn urgency(text: &str) -> Severity {
    match text.trim_end_matches('*') {
        "high" => Severity::High,
        "medium" => Severity::Medium,
        "low" => Severity::Low,
        "unimportant" => Severity::Negligible,
        _ => Severity::Unknown,
    }
}
