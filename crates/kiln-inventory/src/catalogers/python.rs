use std::io::Read;

use kiln_pkg::version::pypi::normal_name;
use kiln_pkg::{Ecosystem, Licence, Package, Place};

use super::cataloger::{Candidate, Cataloger};
use super::lines::{field, stanzas};
use crate::facts::{FileFacts, Reading};

/// Installed Python packages. Source: Python Packaging User Guide, "Core metadata specifications" and "Recording installed
/// projects"; setuptools for eggs.
pub(super) static CATALOGER: Cataloger = Cataloger {
    name: "python",
    examples: &["usr/lib/python3/a-1.dist-info/METADATA", "usr/lib/python3/a.egg-info"],
    wants,
    read,
};

/// A field of prose (`Description`) may be long; the fields that are read stand before it.
const MAX_SIZE: u64 = 16 << 20;
/// The longest name, version or requirement that is taken.
const MAX_TEXT: usize = 512;

fn wants(candidate: &Candidate<'_>) -> bool {
    let mut parts = candidate.path.rsplit('/');
    let (name, folder) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    match name {
        "METADATA" => folder.ends_with(".dist-info"),
        "PKG-INFO" => folder.ends_with(".egg-info") || folder == "EGG-INFO",
        name => name.ends_with(".egg-info"),
    }
}

fn read(candidate: &Candidate<'_>, content: &mut dyn Read, file: &mut FileFacts) -> Result<(), String> {
    let keep = |key: &str| {
        matches!(key, "Name" | "Version" | "License" | "License-Expression" | "Author" | "Requires-Dist")
    };
    // What follows the first empty line is the description.
    let mut head: Option<Vec<(String, String)>> = None;
    stanzas(&mut content.take(MAX_SIZE), keep, |fields| {
        head.get_or_insert_with(|| fields.to_vec());
    })?;
    let fields = head.unwrap_or_default();
    let text = |name: &str| field(&fields, name).filter(|text| text.len() <= MAX_TEXT);
    let (Some(name), Some(version)) = (text("Name"), text("Version")) else {
        return Err("it has no name or no version".to_owned());
    };
    let mut package = Package::new(Ecosystem::PyPi, name, version);
    let licence = text("License-Expression").or_else(|| text("License")).filter(|text| *text != "UNKNOWN");
    package.licence = licence.map(Licence::declared);
    package.supplier = text("Author").filter(|text| *text != "UNKNOWN").map(str::to_owned);
    let requires = fields.iter().filter(|(key, value)| key == "Requires-Dist" && !value.contains("extra"));
    package.requires = requires.map(|(_, value)| normal(value)).collect();
    package.requires.sort();
    package.requires.dedup();
    package.provides = vec![normal(name)];
    package.places = vec![Place { path: candidate.path.to_owned(), layer: None }];
    file.readings.push(Reading::Package(Box::new(package)));
    Ok(())
}

/// The name at the front of a requirement, as names are compared.
fn normal(requirement: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let end = requirement.find(|c| !fits(c)).unwrap_or(requirement.len());
    normal_name(requirement.get(..end).unwrap_or_default())
}
