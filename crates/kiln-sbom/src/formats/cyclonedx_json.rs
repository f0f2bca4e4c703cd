use kiln_pkg::{Checksum, Distro, Ecosystem, Licence, Origin, Package, Packager, Part, Place};
use serde_json::{Map, Value, json};

use crate::{Document, DocumentSubject, Format, id};

/// CycloneDX 1.6 as JSON. Source: cyclonedx.org/docs/1.6/json (ECMA-424).
pub(super) static FORMAT: Format = Format {
    name: "cyclonedx-json",
    version: "1.6",
    extension: ".cdx.json",
    predicate_type: "https://cyclonedx.org/bom",
    render,
};

fn render(document: &Document<'_>) -> String {
    write(document, "1.6")
}

/// The document in a version of the standard; 1.7 takes all that 1.6 does.
pub(super) fn write(document: &Document<'_>, version: &str) -> String {
    let (subject, inventory) = (document.subject, document.inventory);
    let root = subject.id();
    let mut components: Vec<Value> = inventory.distro.iter().map(system).collect();
    components.extend(inventory.packages.iter().map(component));
    let mut properties: Vec<Value> =
        inventory.layers.iter().map(|layer| property("kiln:layer", &json!(layer).to_string())).collect();
    let unread = inventory.all_unread();
    properties.extend(unread.iter().map(|unread| property("kiln:unread", &json!(unread).to_string())));
    let aggregate = if unread.is_empty() { "complete" } else { "incomplete" };
    let value = json!({
        "$schema": format!("http://cyclonedx.org/schema/bom-{version}.schema.json"),
        "bomFormat": "CycloneDX",
        "specVersion": version,
        "serialNumber": format!("urn:uuid:{}", id::uuid(&format!("cyclonedx {}", document.seed()))),
        "version": 1,
        "metadata": {
            "timestamp": document.created,
            "tools": {"components": [{"type": "application", "name": "kiln", "version": document.tool_version}]},
            "component": about(subject, &root),
            "properties": properties,
        },
        "components": components,
        "dependencies": dependencies(document, &root),
        "compositions": [{"aggregate": aggregate, "assemblies": [root]}],
    });
    serde_json::to_string_pretty(&value).expect("a JSON value can be written")
}

fn about(subject: &DocumentSubject, root: &str) -> Value {
    match subject.digest {
        Some(digest) => json!({
            "type": "container",
            "bom-ref": root,
            "name": subject.name,
            "version": digest.to_string(),
            "purl": root,
            "hashes": [{"alg": "SHA-256", "content": digest.hex()}],
        }),
        None => json!({"type": "application", "bom-ref": root, "name": subject.name}),
    }
}

fn system(distro: &Distro) -> Value {
    let mut value =
        json!({"type": "operating-system", "bom-ref": format!("os:{}", distro.tag()), "name": distro.id});
    if let Some(fields) = value.as_object_mut() {
        if !distro.version.is_empty() {
            fields.insert("version".to_owned(), distro.version.clone().into());
        }
        if !distro.name.is_empty() {
            fields.insert("description".to_owned(), distro.name.clone().into());
        }
    }
    value
}

fn component(package: &Package) -> Value {
    let key = package.key();
    let parted = match package.ecosystem {
        Ecosystem::Npm => package.name.split_once('/'),
        Ecosystem::Maven => package.name.split_once(':'),
        _ => None,
    };
    let (group, name) = parted.map_or((None, package.name.as_str()), |(group, name)| (Some(group), name));
    let kind = if package.ecosystem == Ecosystem::Node { "application" } else { "library" };
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
    put("type", kind.into());
    put("bom-ref", key.clone().into());
    put("name", name.into());
    if let Some(group) = group {
        put("group", group.into());
    }
    if !package.version.is_empty() {
        put("version", package.version.clone().into());
    }
    if let Some(supplier) = &package.supplier {
        put("supplier", json!({"name": supplier}));
    }
    if package.dev {
        put("scope", "excluded".into());
    } else if package.optional {
        put("scope", "optional".into());
    }
    if !package.checksums.is_empty() {
        put("hashes", package.checksums.iter().map(hash).collect());
    }
    if let Some(licence) = package.licence.as_ref().filter(|licence| !licence.declared.is_empty()) {
        put("licenses", json!([choice(licence)]));
    }
    if package.ecosystem == Ecosystem::Node {
        put("cpe", format!("cpe:2.3:a:nodejs:node.js:{}:*:*:*:*:*:*:*", package.version).into());
    }
    put("purl", key.clone().into());
    let occurrences: Vec<Value> = package.places.iter().map(occurrence).collect();
    put("evidence", json!({"occurrences": occurrences}));
    if !package.parts.is_empty() {
        put("components", package.parts.iter().map(|part| built_in(&key, part)).collect());
    }
    let properties = properties(package);
    if !properties.is_empty() {
        put("properties", properties.into());
    }
    Value::Object(fields)
}

/// A single id as `id`, a compound as an expression, anything else as a name.
fn choice(licence: &Licence) -> Value {
    match &licence.spdx {
        Some(spdx) if spdx.contains(' ') || spdx.contains("LicenseRef") || spdx.ends_with('+') => {
            json!({"expression": spdx})
        }
        Some(spdx) => json!({"license": {"id": spdx}}),
        None => json!({"license": {"name": licence.declared}}),
    }
}

/// What is built into a runtime: the runtime's publisher answers for it.
fn built_in(whole: &str, part: &Part) -> Value {
    json!({
        "type": "library",
        "bom-ref": format!("{whole}#{}", part.name),
        "name": part.name,
        "version": part.version,
    })
}

fn occurrence(place: &Place) -> Value {
    match place.layer {
        Some(layer) => json!({"location": place.path, "additionalContext": format!("layer {layer}")}),
        None => json!({"location": place.path}),
    }
}

/// `sha512` as `SHA-512`.
fn hash(checksum: &Checksum) -> Value {
    let algorithm = checksum.algorithm().as_str().to_ascii_uppercase().replacen("SHA", "SHA-", 1);
    json!({"alg": algorithm, "content": checksum.hex()})
}

fn properties(package: &Package) -> Vec<Value> {
    let mut found = Vec::new();
    let mut put = |name: &str, value: &str| found.push(property(name, value));
    if package.dev && package.optional {
        put("kiln:optional", "true");
    }
    package.direct.iter().for_each(|direct| put("kiln:direct", direct));
    if let Some(elsewhere) = &package.elsewhere {
        put("kiln:elsewhere", &json!(elsewhere).to_string());
    }
    if package.packager != Packager::Distribution {
        put("kiln:packager", json!(package.packager).as_str().unwrap_or_default());
    }
    if let Some(group) = &package.group {
        put("kiln:group", group);
    }
    if let Some(layer) = package.places.first().and_then(|place| place.layer) {
        put("kiln:layer", &layer.to_string());
    }
    if let Some(origin) = package.origin {
        put("kiln:origin", if origin == Origin::Base { "base" } else { "app" });
    }
    if let Some(owner) = &package.owner {
        put("kiln:owner", owner);
    }
    if let Some(source) = &package.source {
        put("kiln:source", &format!("{}@{}", source.name, source.version));
    }
    found
}

fn property(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

fn dependencies(document: &Document<'_>, root: &str) -> Vec<Value> {
    let packages = &document.inventory.packages;
    let needed: std::collections::BTreeSet<&String> =
        packages.iter().flat_map(|package| &package.depends_on).collect();
    let keys: Vec<String> = packages.iter().map(Package::key).collect();
    // What nothing in the image needs is what the image itself depends on.
    let top: Vec<&String> = keys.iter().filter(|key| !needed.contains(key)).collect();
    let mut found = vec![json!({"ref": root, "dependsOn": top})];
    found.extend(
        packages.iter().zip(&keys).map(|(package, key)| json!({"ref": key, "dependsOn": package.depends_on})),
    );
    found
}
