use kiln_pkg::{Ecosystem, Licence, Package};
use serde_json::{Map, Value, json};

use super::Format;
use crate::{Document, id};

/// CycloneDX 1.6 as JSON. Source: cyclonedx.org/docs/1.6/json (ECMA-424).
pub(super) static FORMAT: Format = Format {
    name: "cyclonedx-json",
    version: "1.6",
    extension: ".cdx.json",
    predicate_type: "https://cyclonedx.org/bom",
    render,
};

fn render(document: &Document<'_>) -> String {
    let (subject, inventory) = (document.subject, document.inventory);
    let root = subject.purl().to_string();
    let components: Vec<Value> = inventory.packages.iter().map(component).collect();
    let mut properties: Vec<Value> =
        inventory.layers.iter().map(|layer| property("kiln:layer", &layer.diff_id.to_string())).collect();
    properties.extend(inventory.unread.iter().map(|unread| {
        property("kiln:unread", &format!("{} ({}): {}", unread.path, unread.reader, unread.why))
    }));
    let aggregate = if inventory.unread.is_empty() { "complete" } else { "incomplete" };
    let value = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": format!("urn:uuid:{}", id::uuid(&format!("cyclonedx {root} {}", document.created))),
        "version": 1,
        "metadata": {
            "timestamp": document.created,
            "tools": {"components": [{"type": "application", "name": "kiln", "version": document.tool_version}]},
            "component": {
                "type": "container",
                "bom-ref": root,
                "name": subject.name,
                "version": subject.digest.to_string(),
                "purl": root,
                "hashes": [{"alg": "SHA-256", "content": subject.digest.hex()}],
            },
            "properties": properties,
        },
        "components": components,
        "dependencies": dependencies(document, &root),
        "compositions": [{"aggregate": aggregate, "assemblies": [root]}],
    });
    serde_json::to_string_pretty(&value).expect("a JSON value can be written")
}

fn component(package: &Package) -> Value {
    let key = package.key();
    let (group, name) = match package.name.split_once('/') {
        Some((scope, name)) if package.ecosystem == Ecosystem::Npm => (Some(scope), name),
        _ => (None, package.name.as_str()),
    };
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
    }
    if let Some(licence) = package.licence.as_ref().filter(|licence| !licence.declared.is_empty()) {
        put("licenses", json!([choice(licence)]));
    }
    if package.ecosystem == Ecosystem::Node {
        put("cpe", format!("cpe:2.3:a:nodejs:node.js:{}:*:*:*:*:*:*:*", package.version).into());
    }
    put("purl", key.into());
    let occurrences: Vec<Value> =
        package.places.iter().map(|place| json!({"location": place.path})).collect();
    put("evidence", json!({"occurrences": occurrences}));
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

fn properties(package: &Package) -> Vec<Value> {
    let mut found = Vec::new();
    if let Some(source) = &package.source {
        found.push(property("kiln:source", &format!("{}@{}", source.name, source.version)));
    }
    found.extend(
        package.parts.iter().map(|part| property(&format!("kiln:part:{}", part.name), &part.version)),
    );
    if let Some(layer) = package.places.first().and_then(|place| place.layer) {
        found.push(property("kiln:layer", &layer.to_string()));
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
