use std::collections::BTreeMap;

use kiln_pkg::{Checksum, Distro, Ecosystem, Package, Part};
use serde_json::{Value, json};

use crate::extra::Extra;
use crate::{Document, Format, id};

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
const SYSTEM: &str = "SPDXRef-OperatingSystem";

fn render(document: &Document<'_>) -> String {
    let (subject, inventory) = (document.subject, document.inventory);
    let mut licences = BTreeMap::new();
    let mut packages = vec![image(document)];
    packages.extend(inventory.distro.iter().map(system));
    packages.extend(inventory.packages.iter().map(|found| package(found, document, &mut licences)));
    packages.extend(
        inventory.packages.iter().flat_map(|found| found.parts.iter().map(|part| built_in(found, part))),
    );
    let extracted: Vec<Value> = licences
        .into_iter()
        .map(|(id, text)| json!({"licenseId": id, "name": text, "extractedText": text}))
        .collect();
    let layers = inventory.layers.iter().map(|layer| format!("kiln layer: {}", json!(layer)));
    let unread = inventory.all_unread();
    let unread = unread.iter().map(|unread| format!("kiln unread: {}", json!(unread)));
    let notes: Vec<Value> = layers.chain(unread).map(|comment| annotation(document, &comment)).collect();
    let mut value = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": subject.name,
        "documentNamespace": format!("urn:uuid:{}", id::uuid(&format!("spdx {}", document.seed()))),
        "creationInfo": {"created": document.created, "creators": [annotator(document)]},
        "documentDescribes": [IMAGE],
        "packages": packages,
        "relationships": relationships(document),
    });
    if let Some(fields) = value.as_object_mut() {
        if !extracted.is_empty() {
            fields.insert("hasExtractedLicensingInfos".to_owned(), extracted.into());
        }
        if !notes.is_empty() {
            fields.insert("annotations".to_owned(), notes.into());
        }
    }
    serde_json::to_string_pretty(&value).expect("a JSON value can be written")
}

fn annotator(document: &Document<'_>) -> String {
    format!("Tool: kiln-{}", document.tool_version)
}

fn annotation(document: &Document<'_>, comment: &str) -> Value {
    json!({
        "annotationDate": document.created,
        "annotationType": "OTHER",
        "annotator": annotator(document),
        "comment": comment,
    })
}

fn bare(id: &str, name: &str, purpose: &str) -> Value {
    json!({
        "SPDXID": id,
        "name": name,
        "downloadLocation": NONE,
        "filesAnalyzed": false,
        "licenseConcluded": NONE,
        "licenseDeclared": NONE,
        "copyrightText": NONE,
        "primaryPackagePurpose": purpose,
    })
}

fn put(value: &mut Value, key: &str, field: impl Into<Value>) {
    if let Some(fields) = value.as_object_mut() {
        fields.insert(key.to_owned(), field.into());
    }
}

/// The image, or the folder.
fn image(document: &Document<'_>) -> Value {
    let subject = document.subject;
    let Some(digest) = subject.digest else { return bare(IMAGE, &subject.name, "SOURCE") };
    let mut value = bare(IMAGE, &subject.name, "CONTAINER");
    put(&mut value, "versionInfo", digest.to_string());
    put(&mut value, "checksums", json!([{"algorithm": "SHA256", "checksumValue": digest.hex()}]));
    put(&mut value, "externalRefs", json!([purl_reference(&subject.id())]));
    value
}

fn system(distro: &Distro) -> Value {
    let mut value = bare(SYSTEM, &distro.id, "OPERATING-SYSTEM");
    if !distro.version.is_empty() {
        put(&mut value, "versionInfo", distro.version.clone());
    }
    if !distro.name.is_empty() {
        put(&mut value, "description", distro.name.clone());
    }
    value
}

/// What is built into a runtime: the runtime's publisher answers for it, so it has no package URL.
fn built_in(whole: &Package, part: &Part) -> Value {
    let mut value = bare(&part_reference(whole, part), &part.name, "LIBRARY");
    put(&mut value, "versionInfo", part.version.clone());
    value
}

fn part_reference(whole: &Package, part: &Part) -> String {
    format!("{}-{}", reference(whole), id::spdx(&part.name))
}

fn package(found: &Package, document: &Document<'_>, licences: &mut BTreeMap<String, String>) -> Value {
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
        "annotations": [annotation(document, &Extra::of(found).comment())],
    });
    if !found.version.is_empty() {
        put(&mut value, "versionInfo", found.version.clone());
    }
    if !found.checksums.is_empty() {
        let checksum = |one: &Checksum| json!({"algorithm": one.algorithm().as_str().to_ascii_uppercase(), "checksumValue": one.hex()});
        put(&mut value, "checksums", found.checksums.iter().map(checksum).collect::<Vec<_>>());
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
    let id = id::licence(&licence.declared);
    licences.insert(id.clone(), licence.declared.clone());
    id
}

fn purl_reference(purl: &str) -> Value {
    json!({"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl})
}

fn reference(found: &Package) -> String {
    format!("SPDXRef-{}", id::element(found))
}

fn relationships(document: &Document<'_>) -> Vec<Value> {
    let relation = |from: &str, kind: &str, to: &str| json!({"spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to});
    let references: BTreeMap<String, String> =
        document.inventory.packages.iter().map(|found| (found.key(), reference(found))).collect();
    let mut found = vec![relation("SPDXRef-DOCUMENT", "DESCRIBES", IMAGE)];
    found.extend(document.inventory.distro.iter().map(|_| relation(IMAGE, "CONTAINS", SYSTEM)));
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
        let parts = package.parts.iter();
        found.extend(parts.map(|part| relation(&from, "STATIC_LINK", &part_reference(package, part))));
    }
    found
}
