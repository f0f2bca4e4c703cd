//! SPDX 3.0 as JSON-LD, in the flat shape that the specification asks for: a `@graph` of elements.

use std::collections::{BTreeMap, BTreeSet};

use kiln_pkg::{Checksum, Distro, Inventory, Licence, Part, Place};
use serde_json::Value;

use super::gather::{Gathered, Named, is_runtime, named, path};
use crate::Error;
use crate::error::ErrorKind;
use crate::extra::Extra;

pub(super) fn read(value: &Value) -> Result<Inventory, Error> {
    let elements: Vec<&Value> = list(value, "@graph").collect();
    let mut about: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut by_id: BTreeMap<&str, &Value> = BTreeMap::new();
    let mut relations = Vec::new();
    let mut packages = Vec::new();
    for element in &elements {
        let id = text(element, "spdxId").or_else(|| text(element, "@id")).unwrap_or_default();
        by_id.insert(id, element);
        for kind in kinds(element) {
            if is_package(kind) {
                packages.push((id, *element));
            } else if kind.ends_with("Relationship") {
                relations.push(*element);
            } else if kind == "Annotation"
                && let (Some(subject), Some(statement)) =
                    (text(element, "subject"), text(element, "statement"))
            {
                about.entry(subject).or_default().push(statement);
            }
        }
        if text(element, "software_packageUrl").is_some() && !kinds(element).any(is_package) {
            packages.push((id, *element));
        }
    }
    if !elements.iter().any(|element| kinds(element).any(|kind| kind == "CreationInfo")) {
        return Err(ErrorKind::Unknown {
            why: "its graph has no CreationInfo, so it is no SPDX 3".to_owned(),
        }
        .into());
    }
    let mut gathered = Gathered::default();
    let unread = about.values().flatten().filter_map(|statement| statement.strip_prefix("kiln unread: "));
    gathered.unread.extend(unread.filter_map(|json| serde_json::from_str(json).ok()));
    let (parts, licences) = (ends(&relations, "hasStaticLink"), ends(&relations, "hasDeclaredLicense"));
    // What is built into Node.js; what has a package URL is a package of its own, too.
    let runtimes: BTreeSet<&str> =
        packages.iter().filter(|(_, element)| is_runtime(purl(element))).map(|(id, _)| *id).collect();
    let is_part: BTreeSet<&str> =
        parts.iter().filter(|(whole, _)| runtimes.contains(whole)).map(|(_, part)| *part).collect();
    let is_own = |(id, element): &&(&str, &Value)| !is_part.contains(id) || purl(element).is_some();
    for (id, element) in packages.iter().filter(is_own) {
        let notes = about.get(id).map(Vec::as_slice).unwrap_or_default();
        one(element, id, notes, &by_id, &mut gathered);
    }
    for (whole, part) in parts.iter().filter(|(whole, _)| runtimes.contains(whole)) {
        if let (Some(package), Some(part)) = (gathered.get_mut(whole), by_id.get(part)) {
            let field = |key: &str| text(part, key).unwrap_or_default().to_owned();
            package.parts.push(Part { name: field("name"), version: field("software_packageVersion") });
            package.parts.sort();
            package.parts.dedup();
        }
    }
    for (from, licence) in licences {
        if let (Some(package), Some(licence)) = (gathered.get_mut(from), by_id.get(licence)) {
            package.licence = expression(licence);
        }
    }
    for (from, to) in ends(&relations, "dependsOn") {
        gathered.edge(from, to);
    }
    Ok(gathered.finish())
}

/// Both ends of every relationship of a type.
fn ends<'a>(relations: &[&'a Value], kind: &str) -> Vec<(&'a str, &'a str)> {
    let of_kind = relations.iter().filter(|relation| text(relation, "relationshipType") == Some(kind));
    let pairs = of_kind.filter_map(|relation| Some((text(relation, "from")?, *relation)));
    pairs
        .flat_map(|(from, relation)| list(relation, "to").filter_map(Value::as_str).map(move |to| (from, to)))
        .collect()
}

fn expression(element: &Value) -> Option<Licence> {
    let expression = text(element, "simplelicensing_licenseExpression").map(Licence::declared);
    let words = || {
        let declared = text(element, "simplelicensing_licenseText")?.to_owned();
        Some(Licence { declared, spdx: None })
    };
    expression.or_else(words)
}

fn one(element: &Value, id: &str, notes: &[&str], by_id: &BTreeMap<&str, &Value>, gathered: &mut Gathered) {
    let name = text(element, "name").unwrap_or_default();
    let purl = purl(element);
    for other in purls(element).filter(|other| Some(*other) != purl) {
        match named(Some(other)) {
            Named::Package(package) => gathered.package(id, *package, name),
            Named::NoPackage => {}
            Named::Unknown(what) => gathered.unknown(what),
        }
    }
    match text(element, "software_primaryPurpose") {
        Some("operatingSystem") => {
            gathered.distro = Some(Distro {
                id: name.to_owned(),
                version: text(element, "software_packageVersion").unwrap_or_default().to_owned(),
                name: text(element, "description").unwrap_or_default().to_owned(),
            });
            return;
        }
        Some("container" | "source" | "file") if purl.is_none() => return,
        _ => {}
    }
    let mut package = match named(purl) {
        Named::Package(package) => *package,
        Named::NoPackage => return,
        Named::Unknown(what) => return gathered.unknown(what),
    };
    let supplier = text(element, "suppliedBy").and_then(|id| by_id.get(id));
    package.supplier = supplier.and_then(|agent| text(agent, "name")).map(str::to_owned);
    let checksum = |one: &Value| Checksum::from_hex(text(one, "algorithm")?, text(one, "hashValue")?);
    package.checksums = list(element, "verifiedUsing").filter_map(checksum).collect();
    package.checksums.sort();
    if let Some(extra) = notes.iter().find_map(|note| Extra::read(note)) {
        extra.put(&mut package);
    } else if let Some(places) =
        text(element, "software_sourceInfo").and_then(|info| info.strip_prefix("found in "))
    {
        package.places = places.split(", ").map(|text| Place { path: path(text), layer: None }).collect();
    }
    gathered.package(id, package, name);
}

/// What an element is: one name or several, as JSON-LD has it, and bare or as an address.
fn kinds(element: &Value) -> impl Iterator<Item = &str> {
    let named = |key: &str| element.get(key);
    let one = move |key: &str| named(key).and_then(Value::as_str);
    let several = ["type", "@type"].into_iter().flat_map(|key| list(element, key)).filter_map(Value::as_str);
    ["type", "@type"].into_iter().filter_map(one).chain(several)
}

fn is_package(kind: &str) -> bool {
    kind.rsplit(['_', '/', ':', '#']).next() == Some("Package")
}

/// The package URL: a field of its own, or an identifier among others.
fn purl(element: &Value) -> Option<&str> {
    purls(element).next()
}

fn purls(element: &Value) -> impl Iterator<Item = &str> {
    let is_purl = |one: &&Value| text(one, "externalIdentifierType") == Some("packageUrl");
    let identifiers = list(element, "externalIdentifier").filter(is_purl);
    text(element, "software_packageUrl")
        .into_iter()
        .chain(identifiers.filter_map(|one| text(one, "identifier")))
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}
