//! SPDX 2.2 and 2.3, as kiln, Syft, Trivy and BuildKit write it.

use std::collections::{BTreeMap, BTreeSet};

use kiln_pkg::{Checksum, Distro, Ecosystem, Inventory, Licence, Package, Part, Place, Source};
use serde_json::Value;

use super::gather::{Gathered, Named, is_runtime, named, path};
use crate::extra::Extra;

pub(super) fn read(value: &Value) -> Inventory {
    let mut gathered = Gathered::default();
    let licences: BTreeMap<&str, &str> = list(value, "hasExtractedLicensingInfos")
        .filter_map(|one| {
            Some((text(one, "licenseId")?, text(one, "extractedText").or_else(|| text(one, "name"))?))
        })
        .collect();
    for annotation in list(value, "annotations") {
        let comment = text(annotation, "comment").and_then(|comment| comment.strip_prefix("kiln unread: "));
        gathered.unread.extend(comment.and_then(|json| serde_json::from_str(json).ok()));
    }
    let parts = parts(value);
    let about = About { subject: subject(value), is_of_trivy: is_of_trivy(value) };
    for package in list(value, "packages") {
        let id = text(package, "SPDXID").unwrap_or_default();
        if !parts.contains_key(id) {
            one(package, id, &about, &licences, &mut gathered);
        }
    }
    let names: BTreeMap<&str, &Value> =
        list(value, "packages").filter_map(|package| Some((text(package, "SPDXID")?, package))).collect();
    for (part, whole) in parts {
        if let (Some(part), Some(whole)) = (names.get(part), gathered.get_mut(whole)) {
            let field = |key: &str| text(part, key).unwrap_or_default().to_owned();
            whole.parts.push(Part { name: field("name"), version: field("versionInfo") });
        }
    }
    for relation in list(value, "relationships") {
        let ends = (text(relation, "spdxElementId"), text(relation, "relatedSpdxElement"));
        let (Some(from), Some(to)) = ends else { continue };
        match text(relation, "relationshipType") {
            Some("DEPENDS_ON") => gathered.edge(from, to),
            Some(
                "DEPENDENCY_OF" | "RUNTIME_DEPENDENCY_OF" | "DEV_DEPENDENCY_OF" | "OPTIONAL_DEPENDENCY_OF",
            ) => {
                gathered.edge(to, from);
            }
            _ => {}
        }
    }
    let mut inventory = gathered.finish();
    for package in &mut inventory.packages {
        package.parts.sort();
        package.parts.dedup();
    }
    inventory
}

/// What is built into Node.js, with that. What has a package URL is a package of its own, too.
fn parts(value: &Value) -> BTreeMap<&str, &str> {
    let (mut runtimes, mut bare) = (BTreeSet::new(), BTreeSet::new());
    for package in list(value, "packages") {
        let Some(id) = text(package, "SPDXID") else { continue };
        if purls(package).any(|purl| is_runtime(Some(purl))) {
            runtimes.insert(id);
        } else if purls(package).next().is_none() {
            bare.insert(id);
        }
    }
    let linked = |relation: &&Value| text(relation, "relationshipType") == Some("STATIC_LINK");
    let ends = |relation| Some((text(relation, "relatedSpdxElement")?, text(relation, "spdxElementId")?));
    let pairs = list(value, "relationships").filter(linked).filter_map(ends);
    pairs.filter(|(part, whole)| bare.contains(part) && runtimes.contains(whole)).collect()
}

/// The package URLs of a package.
fn purls(package: &Value) -> impl Iterator<Item = &str> {
    let is_purl = |reference: &&Value| {
        text(reference, "referenceType").is_some_and(|kind| kind.rsplit(['/', '#']).next() == Some("purl"))
    };
    list(package, "externalRefs").filter(is_purl).filter_map(|one| text(one, "referenceLocator"))
}

/// What in a document is no package, though it is listed as one.
struct About<'a> {
    /// What the whole document is about.
    subject: Option<&'a str>,
    is_of_trivy: bool,
}

impl About<'_> {
    /// The subject itself, and the lock files that Trivy lists as packages.
    fn is_no_package(&self, id: &str) -> bool {
        self.subject == Some(id)
            || id.starts_with("SPDXRef-DocumentRoot")
            || self.is_of_trivy && id.starts_with("SPDXRef-Application")
    }
}

/// The one package that a document describes; where it describes several, each of them is to be judged.
fn subject(value: &Value) -> Option<&str> {
    let is_said = |relation: &&Value| text(relation, "relationshipType") == Some("DESCRIBES");
    let related = list(value, "relationships").filter(is_said);
    let related = related.filter_map(|relation| text(relation, "relatedSpdxElement"));
    let mut described: Vec<&str> =
        list(value, "documentDescribes").filter_map(Value::as_str).chain(related).collect();
    described.sort_unstable();
    described.dedup();
    if let [one] = described.as_slice() { Some(one) } else { None }
}

fn is_of_trivy(value: &Value) -> bool {
    let mut creators = value.get("creationInfo").into_iter().flat_map(|info| list(info, "creators"));
    creators.any(|creator| creator.as_str().is_some_and(|creator| creator.starts_with("Tool: trivy")))
}

fn one(found: &Value, id: &str, about: &About<'_>, licences: &BTreeMap<&str, &str>, gathered: &mut Gathered) {
    let name = text(found, "name").unwrap_or_default();
    let version = text(found, "versionInfo").unwrap_or_default();
    let purl = purls(found).next();
    match text(found, "primaryPackagePurpose") {
        Some("OPERATING-SYSTEM" | "OPERATING_SYSTEM") => {
            gathered.distro = Some(Distro {
                id: name.to_owned(),
                version: version.to_owned(),
                name: text(found, "description").unwrap_or_default().to_owned(),
            });
            return;
        }
        Some("CONTAINER" | "FILE" | "SOURCE") if purl.is_none() => return,
        _ => {}
    }
    for other in purls(found).skip(1) {
        match named(Some(other)) {
            Named::Package(package) => gathered.package(id, *package, name),
            Named::NoPackage => {}
            Named::Unknown(what) => gathered.unknown(what),
        }
    }
    let mut package = match named(purl) {
        Named::Package(package) => *package,
        Named::NoPackage => return,
        Named::Unknown(_) if purl.is_none() && about.is_no_package(id) => return,
        Named::Unknown(what) => return gathered.unknown(what),
    };
    package.licence = declared(found, licences);
    package.supplier = text(found, "supplier").or_else(|| text(found, "originator")).and_then(supplier);
    let checksum = |one: &Value| Checksum::from_hex(text(one, "algorithm")?, text(one, "checksumValue")?);
    package.checksums = list(found, "checksums").filter_map(checksum).collect();
    package.checksums.sort();
    let comments = || list(found, "annotations").filter_map(|one| text(one, "comment"));
    if let Some(extra) = comments().find_map(Extra::read) {
        extra.put(&mut package);
    } else {
        let info = text(found, "sourceInfo").unwrap_or_default();
        elsewhere(&mut package, info);
        let layer = comments().find_map(|comment| comment.strip_prefix("LayerDiffID: ")?.trim().parse().ok());
        if package.places.is_empty() && layer.is_some() {
            package.places.push(Place { path: String::new(), layer });
        }
    }
    gathered.package(id, package, name);
}

/// Where Syft (`acquired package info from …: /a, /b`) and BuildKit found it; the source package that Trivy gives
/// (`built package from: zlib 1:1.3-1`).
fn elsewhere(package: &mut Package, info: &str) {
    if let Some((name, version)) =
        info.strip_prefix("built package from: ").and_then(|rest| rest.split_once(' '))
    {
        if matches!(package.ecosystem, Ecosystem::Deb | Ecosystem::Apk) {
            package.source = Some(Source { name: name.to_owned(), version: version.trim().to_owned() });
        }
        return;
    }
    let paths = info
        .split_once(": ")
        .map(|(_, paths)| paths)
        .or_else(|| info.strip_prefix("found in "))
        .unwrap_or_default();
    let place = |text: &str| Place { path: path(text), layer: None };
    package.places = paths.split(", ").filter(|path| !path.is_empty()).map(place).collect();
}

fn declared(found: &Value, licences: &BTreeMap<&str, &str>) -> Option<Licence> {
    let fields = ["licenseDeclared", "licenseConcluded"];
    let text = fields
        .iter()
        .filter_map(|key| text(found, key))
        .find(|text| !matches!(*text, "NOASSERTION" | "NONE" | ""))?;
    Some(match licences.get(text) {
        Some(words) => Licence { declared: (*words).to_owned(), spdx: None },
        None => Licence::declared(text),
    })
}

/// `Person: name (mail)` as `name <mail>`.
fn supplier(text: &str) -> Option<String> {
    let name = text.strip_prefix("Person: ").or_else(|| text.strip_prefix("Organization: "))?;
    Some(match name.rsplit_once(" (") {
        Some((name, mail)) => format!("{name} <{}>", mail.trim_end_matches(')')),
        None => name.to_owned(),
    })
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}
