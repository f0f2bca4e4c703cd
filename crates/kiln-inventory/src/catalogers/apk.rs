use std::io::Read;

use kiln_pkg::{Checksum, Ecosystem, Licence, Package, Place, Source};

use super::cataloger::{Candidate, Cataloger};
use super::lines::{field, stanzas};
use super::ownable::is_ownable;
use crate::facts::{FileFacts, Reading};

/// Alpine, Wolfi and Chainguard packages. Source: apk-tools' installed database.
pub(super) static CATALOGER: Cataloger =
    Cataloger { name: "apk", examples: &["lib/apk/db/installed", "usr/lib/apk/db/installed"], wants, read };

/// Files kept of one package; those of a program are few.
const MAX_OWNED: usize = 20_000;

fn wants(candidate: &Candidate<'_>) -> bool {
    matches!(candidate.path, "lib/apk/db/installed" | "usr/lib/apk/db/installed")
}

fn read(candidate: &Candidate<'_>, content: &mut dyn Read, file: &mut FileFacts) -> Result<(), String> {
    let keep = |key: &str| matches!(key, "P" | "V" | "A" | "L" | "o" | "m" | "D" | "C" | "p" | "F" | "R");
    let mut nameless = 0;
    stanzas(content, keep, |fields| match package(fields, candidate.path) {
        Some(package) => {
            let paths = owned(fields);
            if !paths.is_empty() {
                file.readings.push(Reading::Owned { package: package.name.clone(), paths });
            }
            file.readings.push(Reading::Package(Box::new(package)));
        }
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
    package.checksums = field(fields, "C").and_then(checksum).into_iter().collect();
    package.requires = words(field(fields, "D")).filter(|name| !name.starts_with('!')).map(bare).collect();
    package.requires.sort();
    package.requires.dedup();
    package.provides = words(field(fields, "p")).map(bare).collect();
    package.provides.sort();
    package.provides.dedup();
    package.places = vec![Place { path: path.to_owned(), layer: None }];
    Some(package)
}

fn words(field: Option<&str>) -> impl Iterator<Item = &str> {
    field.unwrap_or_default().split_whitespace()
}

/// `so:libc.musl-x86_64.so.1=1` or `nodejs>=22` without its version.
fn bare(dependency: &str) -> String {
    dependency.split(['=', '<', '>', '~']).next().unwrap_or_default().to_owned()
}

/// `Q1` and the SHA-1 of the package's control part in base64, `Q2` with SHA-256.
fn checksum(text: &str) -> Option<Checksum> {
    let (algorithm, digest) = match text.split_at_checked(2)? {
        ("Q1", digest) => ("sha1", digest),
        ("Q2", digest) => ("sha256", digest),
        _ => return None,
    };
    Checksum::from_base64(algorithm, digest)
}

/// The files below each folder (`F`) that a cataloger may read.
fn owned(fields: &[(String, String)]) -> Vec<String> {
    let mut folder = "";
    let mut found = Vec::new();
    for (key, value) in fields {
        match key.as_str() {
            "F" => folder = value,
            "R" if found.len() < MAX_OWNED => {
                let path = if folder.is_empty() { value.clone() } else { format!("{folder}/{value}") };
                if is_ownable(&path) {
                    found.push(path);
                }
            }
            _ => {}
        }
    }
    found
}
