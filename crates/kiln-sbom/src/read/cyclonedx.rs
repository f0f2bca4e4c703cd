//! CycloneDX 1.x, with the properties of kiln, Syft and Trivy.

use kiln_oci::Digest;
use kiln_pkg::{Checksum, Distro, Ecosystem, Inventory, Origin, Package, Part, Place, Source};
use serde_json::Value;

use super::gather::{Gathered, Named, licence, named, path};

/// How deep components may lie in each other.
const DEPTH_MAX: usize = 32;

pub(super) fn read(value: &Value) -> Inventory {
    let mut gathered = Gathered::default();
    for property in properties(value.get("metadata")) {
        if let ("kiln:unread", text) = property {
            gathered.unread.extend(serde_json::from_str::<kiln_pkg::Unread>(text).ok());
        }
    }
    let subject = value.get("metadata").and_then(|metadata| metadata.get("component"));
    // Projects of a workspace stand in the subject itself.
    components(subject.and_then(|subject| subject.get("components")), subject, &mut gathered, 0);
    components(value.get("components"), subject, &mut gathered, 0);
    for dependency in list(value.get("dependencies")) {
        let Some(from) = text(dependency, "ref") else { continue };
        for to in list(dependency.get("dependsOn")).filter_map(Value::as_str) {
            gathered.edge(from, to);
        }
    }
    gathered.finish()
}

fn components(value: Option<&Value>, subject: Option<&Value>, gathered: &mut Gathered, depth: usize) {
    if depth > DEPTH_MAX {
        return gathered.unknown("components deeper than 32 levels".to_owned());
    }
    for component in list(value) {
        let is_runtime = one(component, subject, gathered);
        // What is built into Node.js, and no package of its own, has no package URL.
        if is_runtime {
            let inner =
                list(component.get("components")).filter(|inner| inner.get("purl").is_some()).cloned();
            components(Some(&inner.collect()), subject, gathered, depth + 1);
        } else {
            components(component.get("components"), subject, gathered, depth + 1);
        }
    }
}

/// Takes in a component; whether it is the Node.js runtime, whose components are its parts.
fn one(component: &Value, subject: Option<&Value>, gathered: &mut Gathered) -> bool {
    let (name, purl) = (text(component, "name").unwrap_or_default(), text(component, "purl"));
    match text(component, "type") {
        Some("operating-system") => {
            let version = text(component, "version").unwrap_or_default();
            let rolling = matches!(name, "wolfi" | "chainguard");
            gathered.distro = Some(Distro {
                id: name.to_owned(),
                version: if rolling { String::new() } else { version.to_owned() },
                name: text(component, "description").unwrap_or_default().to_owned(),
            });
            return false;
        }
        Some("file" | "container" | "device" | "data" | "machine-learning-model" | "cryptographic-asset")
            if purl.is_none() =>
        {
            return false;
        }
        _ => {}
    }
    let whole = match text(component, "group") {
        Some(group) if !group.is_empty() => format!("{group}/{name}"),
        _ => name.to_owned(),
    };
    let mut package = match named(purl) {
        Named::Package(package) => *package,
        Named::NoPackage => return false,
        Named::Unknown(_) if purl.is_none() && (is_list(component) || is_subject(component, subject)) => {
            return false;
        }
        Named::Unknown(what) => {
            gathered.unknown(what);
            return false;
        }
    };
    fill(&mut package, component);
    let is_runtime = package.ecosystem == Ecosystem::Node;
    let id = text(component, "bom-ref").or_else(|| text(component, "purl")).unwrap_or_default();
    gathered.package(id, package, &whole);
    is_runtime
}

/// Trivy lists a lock file as an application that holds its packages, and marks it as such.
fn is_list(component: &Value) -> bool {
    let is_marked = properties(Some(component))
        .any(|(name, _)| matches!(name, "aquasecurity:trivy:Class" | "aquasecurity:trivy:Type"));
    is_marked && text(component, "type") == Some("application")
}

/// Whether it is what the whole document is about, which some tools list among its own components.
fn is_subject(component: &Value, subject: Option<&Value>) -> bool {
    let Some(subject) = subject else { return false };
    match (text(component, "bom-ref"), text(subject, "bom-ref")) {
        (Some(this), Some(that)) => this == that,
        _ => ["type", "group", "name", "version"].iter().all(|key| component.get(key) == subject.get(key)),
    }
}

fn fill(package: &mut Package, component: &Value) {
    let licences: Vec<String> = list(component.get("licenses")).filter_map(choice).collect();
    package.licence = licence(&licences);
    package.supplier =
        component.get("supplier").and_then(|supplier| text(supplier, "name")).map(str::to_owned);
    package.dev = text(component, "scope") == Some("excluded");
    package.optional = text(component, "scope") == Some("optional");
    let checksum = |hash: &Value| Checksum::from_hex(text(hash, "alg")?, text(hash, "content")?);
    package.checksums = list(component.get("hashes")).filter_map(checksum).collect();
    package.checksums.sort();
    let occurrences = component.get("evidence").and_then(|evidence| evidence.get("occurrences"));
    let place = |one: &Value| {
        let layer = text(one, "additionalContext").and_then(|text| text.strip_prefix("layer ")?.parse().ok());
        Some(Place { path: path(text(one, "location")?), layer })
    };
    package.places = list(occurrences).filter_map(place).collect();
    if package.ecosystem == Ecosystem::Node {
        let part = |one: &Value| {
            Some(Part { name: text(one, "name")?.to_owned(), version: text(one, "version")?.to_owned() })
        };
        package.parts = list(component.get("components")).filter_map(part).collect();
    }
    extra(package, component);
}

/// What kiln, Syft and Trivy say in properties.
fn extra(package: &mut Package, component: &Value) {
    let mut source = (None, None, None, None);
    let mut layer: Option<Digest> = None;
    for (name, value) in properties(Some(component)) {
        match name {
            "kiln:owner" => package.owner = Some(value.to_owned()),
            "kiln:elsewhere" => {
                package.elsewhere = serde_json::from_str(value).ok().or(package.elsewhere.take());
            }
            "kiln:packager" => package.packager = serde_json::from_value(value.into()).unwrap_or_default(),
            "kiln:group" => package.group = Some(value.to_owned()),
            "kiln:direct" => package.direct.push(value.to_owned()),
            "kiln:dev" => package.dev = true,
            "kiln:optional" => package.optional = true,
            "kiln:origin" => {
                package.origin = if value == "base" { Some(Origin::Base) } else { Some(Origin::App) }
            }
            "aquasecurity:trivy:SrcName" => source.0 = Some(value),
            "aquasecurity:trivy:SrcVersion" => source.1 = Some(value),
            "aquasecurity:trivy:SrcRelease" => source.2 = Some(value),
            "aquasecurity:trivy:SrcEpoch" => source.3 = Some(value),
            "aquasecurity:trivy:LayerDiffID" => layer = value.parse().ok(),
            "aquasecurity:trivy:FilePath" => package.places.push(Place { path: path(value), layer: None }),
            name if name.starts_with("syft:location:") && name.ends_with(":path") => {
                package.places.push(Place { path: path(value), layer: None });
            }
            name if name.starts_with("syft:location:") && name.ends_with(":layerID") => {
                layer = value.parse().ok();
            }
            _ => {}
        }
    }
    for place in &mut package.places {
        place.layer = place.layer.or(layer);
    }
    if let (Some(name), Some(version)) = (source.0, source.1) {
        let release = source.2.map(|release| format!("-{release}")).unwrap_or_default();
        let epoch =
            source.3.filter(|epoch| *epoch != "0").map(|epoch| format!("{epoch}:")).unwrap_or_default();
        package.source =
            Some(Source { name: name.to_owned(), version: format!("{epoch}{version}{release}") });
    }
}

fn choice(choice: &Value) -> Option<String> {
    let of = |licence: &Value| text(licence, "id").or_else(|| text(licence, "name")).map(str::to_owned);
    text(choice, "expression").map(str::to_owned).or_else(|| choice.get("license").and_then(of))
}

fn properties(of: Option<&Value>) -> impl Iterator<Item = (&str, &str)> {
    let all = list(of.and_then(|of| of.get("properties")));
    all.filter_map(|property| Some((text(property, "name")?, text(property, "value")?)))
}

fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}
