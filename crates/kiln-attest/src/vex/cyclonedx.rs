//! Source: CycloneDX 1.4 to 1.6, `vulnerabilities`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Vex, VexProduct, VexStatement, VexStatus};
use crate::Error;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(default)]
    serial_number: String,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    components: Vec<Component>,
    #[serde(default)]
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    timestamp: Option<String>,
    #[serde(default)]
    authors: Vec<Author>,
    component: Option<Component>,
}

#[derive(Deserialize)]
struct Author {
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Component {
    bom_ref: Option<String>,
    #[serde(default)]
    name: String,
    purl: Option<String>,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Vulnerability {
    id: Option<String>,
    #[serde(default)]
    references: Vec<Reference>,
    #[serde(default)]
    affects: Vec<Affects>,
    analysis: Option<Analysis>,
    updated: Option<String>,
}

#[derive(Deserialize)]
struct Reference {
    id: String,
}

#[derive(Deserialize)]
struct Affects {
    #[serde(rename = "ref")]
    target: String,
}

#[derive(Deserialize)]
struct Analysis {
    state: Option<String>,
    justification: Option<String>,
    detail: Option<String>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Vex, Error> {
    let document: Document = super::json(bytes)?;
    let mut purls = BTreeMap::new();
    let about = document.metadata.component.iter().chain(&document.components);
    about.for_each(|component| collect(component, &mut purls));
    // The document's own subject is known to others by its name where it has no package URL.
    if let Some(Component { bom_ref: Some(name), purl: None, name: own, .. }) = &document.metadata.component {
        purls.insert(name.clone(), own.clone());
    }
    let author = document.metadata.authors.into_iter().find_map(|author| author.name);
    let time = document.metadata.timestamp;
    let statements = document.vulnerabilities.into_iter().filter_map(|found| {
        let analysis = found.analysis?;
        let products = found.affects.iter().map(|affects| product(&affects.target, &purls)).collect();
        Some(VexStatement {
            ids: found
                .id
                .into_iter()
                .chain(found.references.into_iter().map(|reference| reference.id))
                .collect(),
            products,
            status: status(analysis.state.as_deref()?)?,
            justification: analysis.justification,
            impact: analysis.detail,
            action: None,
            notes: None,
            time: found.updated.or_else(|| time.clone()),
        })
    });
    let mut statements: Vec<VexStatement> = statements.collect();
    statements.sort_by(|a, b| a.time.cmp(&b.time));
    Ok(Vex { id: document.serial_number, author: author.unwrap_or_default(), statements })
}

fn collect(component: &Component, purls: &mut BTreeMap<String, String>) {
    if let (Some(name), Some(purl)) = (&component.bom_ref, &component.purl) {
        purls.insert(name.clone(), purl.clone());
    }
    component.components.iter().for_each(|inner| collect(inner, purls));
}

/// A reference names a component of this document, of another (`urn:cdx:serial/version#ref`), or is a package URL itself.
fn product(target: &str, purls: &BTreeMap<String, String>) -> VexProduct {
    let local = target
        .strip_prefix("urn:cdx:")
        .and_then(|link| link.split_once('#'))
        .map_or(target, |(_, name)| name);
    let name = purls.get(local).cloned().unwrap_or_else(|| local.to_owned());
    VexProduct { ids: vec![name], parts: Vec::new() }
}

fn status(state: &str) -> Option<VexStatus> {
    Some(match state {
        "not_affected" | "false_positive" => VexStatus::NotAffected,
        "resolved" | "resolved_with_pedigree" => VexStatus::Fixed,
        "exploitable" => VexStatus::Affected,
        "in_triage" => VexStatus::UnderInvestigation,
        _ => return None,
    })
}
