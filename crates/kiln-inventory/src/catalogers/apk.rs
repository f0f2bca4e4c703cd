use std::io::Read;

use kiln_pkg::{Ecosystem, Licence, Package, Place, Source};

use super::lines::{field, stanzas};
use super::{Candidate, Cataloger};
use crate::facts::{FileFacts, Reading};

/// Alpine, Wolfi and Chainguard packages. Source: apk-tools' installed database.
pub(super) static CATALOGER: Cataloger = Cataloger { name: "apk", wants, read };

fn wants(candidate: &Candidate<'_>) -> bool {
    matches!(candidate.path, "lib/apk/db/installed" | "usr/lib/apk/db/installed")
}

fn read(candidate: &Candidate<'_>, content: &mut dyn Read, file: &mut FileFacts) -> Result<(), String> {
    let keep = |key: &str| matches!(key, "P" | "V" | "A" | "L" | "o" | "m");
    let mut nameless = 0;
    stanzas(content, keep, |fields| match package(fields, candidate.path) {
        Some(package) => file.readings.push(Reading::Package(Box::new(package))),
        None => nameless += 1,
    })?;
    if nameless > 0 { Err(format!("{nameless} of its entries have no name or no version")) } else { Ok(()) }
}

fn package(fields: &[(String, String)], path: &str) -> Option<Package> {
    let version = field(fields, "V")?;
    let mut package = Package::new(Ecosystem::Apk, field(fields, "P")?, version);
    let origin = field(fields, "o").unwrap_or(&package.name);
    package.source = Some(Source { name: origin.to_owned(), version: version.to_owned() });
    package.arch = field(fields, "A").map(str::to_owned);
    package.supplier = field(fields, "m").map(str::to_owned);
    package.licence = field(fields, "L").map(Licence::declared);
    package.places = vec![Place { path: path.to_owned(), layer: None }];
    Some(package)
}
