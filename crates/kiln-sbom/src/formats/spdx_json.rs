use std::collections::BTreeMap;

use kiln_pkg::{Ecosystem, Package};
use serde_json::{Value, json};

use super::Format;
use crate::{Document, id};

/// SPDX 2.3 as JSON. Source: spdx.github.io/spdx-spec/v2.3.
pub(super) static FORMAT: Format = Format {
    name: "spdx-json",
    version: "2.3",
    extension: ".spdx.json",
    predicate_type: "https://spdx.dev/Document",
    render,
};

const NONE: &str = "NOASSERTION";
const IMAGE: &str = "SPDXRef-Image";

fn render(document: &Document<'_>) -> String {
    let (subject, inventory) = (document.subject, document.inventory);
    let mut licences = BTreeMap::new();
    let mut packages = vec![image(document)];
    packages.extend(inventory.packages.iter().map(|found| package(found, &mut licences)));
    let extracted: Vec<Value> = licences
        .into_iter()
        .map(|(id, text)| json!({"licenseId": id, "name": text, "extractedText": text}))
        .collect();
    let unread: Vec<Value> = inventory
        .unread
        .iter()
        .map(|unread| {
            json!({
                "annotationDate": document.created,
                "annotationType": "OTHER",
                "annotator": annotator(document),
                "comment": format!("not complete: {} could not be read ({}): {}", unread.path, unread.reader, unread.why),
            })
        })
        .collect();
    let mut value = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": subject.name,
        "documentNamespace": format!("urn:uuid:{}", id::uuid(&format!("spdx {} {}", subject.purl(), document.created))),
        "creationInfo": {"created": document.created, "creators": [annotator(document)]},
        "documentDescribes": [IMAGE],
        "packages": packages,
        "relationships": relationships(document),
    });
    if let Some(fields) = value.as_object_mut() {
        if !extracted.is_empty() {
            fields.insert("hasExtractedLicensingInfos".to_owned(), extracted.into());
        }
        if !unread.is_empty() {
            fields.insert("annotations".to_owned(), unread.into());
        }
    }
    serde_json::to_string_pretty(&value).expect("a JSON value can be written")
}

fn annotator(document: &Document<'_>) -> String {
    format!("Tool: kiln-{}", document.tool_version)
}

fn image(document: &Document<'_>) -> Value {
    let subject = document.subject;
    json!({
        "SPDXID": IMAGE,
        "name": subject.name,
        "versionInfo": subject.digest.to_string(),
        "downloadLocation": NONE,
        "filesAnalyzed": false,
        "licenseConcluded": NONE,
        "licenseDeclared": NONE,
        "copyrightText": NONE,
        "primaryPackagePurpose": "CONTAINER",
        "checksums": [{"algorithm": "SHA256", "checksumValue": subject.digest.hex()}],
        "externalRefs": [purl_reference(&subject.purl().to_string())],
    })
}

fn package(found: &Package, licences: &mut BTreeMap<String, String>) -> Value {
    let key = found.key();
    let mut references = vec![purl_reference(&key)];
    if found.ecosystem == Ecosystem::Node {
        references.push(json!({
            "referenceCategory": "SECURITY",
            "referenceType": "cpe23Type",
            "referenceLocator": format!("cpe:2.3:a:nodejs:node.js:{}:*:*:*:*:*:*:*", found.version),
        }));
    }
    let places: Vec<&str> = found.places.iter().map(|place| place.path.as_str()).collect();
    let mut value = json!({
        "SPDXID": reference(found),
        "name": found.name,
        "downloadLocation": NONE,
        "filesAnalyzed": false,
        "licenseConcluded": NONE,
        "licenseDeclared": licence(found, licences),
        "copyrightText": NONE,
        "supplier": found.supplier.as_deref().map_or_else(|| NONE.to_owned(), supplier),
        "externalRefs": references,
        "sourceInfo": format!("found in {}", places.join(", ")),
    });
    if let Some(fields) = value.as_object_mut().filter(|_| !found.version.is_empty()) {
        fields.insert("versionInfo".to_owned(), found.version.clone().into());
    }
    value
}

/// `Person: name (mail)` or `Organization: name (mail)` out of `name <mail>`.
fn supplier(declared: &str) -> String {
    let (name, mail) = declared.split_once('<').map_or((declared, ""), |(name, mail)| (name, mail));
    let (name, mail) = (name.trim().trim_matches('"'), mail.trim().trim_end_matches('>'));
    let lower = declared.to_ascii_lowercase();
    let group = ["team", "maintainers", "group", "developers", "lists.", "debian project"]
        .iter()
        .any(|word| lower.contains(word));
    let kind = if group { "Organization" } else { "Person" };
    let name = if name.is_empty() { mail } else { name };
    if mail.is_empty() { format!("{kind}: {name}") } else { format!("{kind}: {name} ({mail})") }
}

/// An expression, or a reference to the text as declared, or no assertion.
fn licence(found: &Package, licences: &mut BTreeMap<String, String>) -> String {
    let Some(licence) = &found.licence else { return NONE.to_owned() };
    if let Some(spdx) = &licence.spdx {
        return spdx.clone();
    }
    if licence.declared.is_empty() || licence.declared.len() > 200 {
        return NONE.to_owned();
    }
    let hash = kiln_oci::Digest::of(licence.declared.as_bytes()).short();
    let start: String = licence.declared.chars().take(32).collect();
    let id = format!("LicenseRef-{}-{hash}", id::spdx(&start));
    licences.insert(id.clone(), licence.declared.clone());
    id
}

fn purl_reference(purl: &str) -> Value {
    json!({"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl})
}

fn reference(found: &Package) -> String {
    reference_to(found.ecosystem.as_str(), &found.name, &found.key())
}

fn reference_to(ecosystem: &str, name: &str, key: &str) -> String {
    format!("SPDXRef-{ecosystem}-{}-{}", id::spdx(name), kiln_oci::Digest::of(key.as_bytes()).short())
}

fn relationships(document: &Document<'_>) -> Vec<Value> {
    let relation = |from: &str, kind: &str, to: &str| json!({"spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to});
    let references: BTreeMap<String, String> =
        document.inventory.packages.iter().map(|found| (found.key(), reference(found))).collect();
    let mut found = vec![relation("SPDXRef-DOCUMENT", "DESCRIBES", IMAGE)];
    found.extend(references.values().map(|to| relation(IMAGE, "CONTAINS", to)));
    for package in &document.inventory.packages {
        let from = reference(package);
        found.extend(
            package
                .depends_on
                .iter()
                .filter_map(|key| references.get(key))
                .map(|to| relation(&from, "DEPENDS_ON", to)),
        );
    }
    found
}
