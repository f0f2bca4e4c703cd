use std::collections::BTreeSet;
use std::io::{BufReader, Read};

use serde::Deserialize;
use serde::de::{SeqAccess, Visitor};

use super::bundle::is_anothers;
use super::cataloger::{Candidate, Cataloger};
use crate::facts::{FileFacts, Reading};

/// Source maps of an app's programs: they name the files that were built into each, whatever was left of them. Source: ECMA-426,
/// "Source map format".
pub(super) static CATALOGER: Cataloger =
    Cataloger { name: "source-map", examples: &["app/dist/server.js.map", "srv/main.mjs.map"], wants, read };

/// Bytes of a map that are read; what comes later is not known, and none says where its list of files stands.
const MAX_SIZE: u64 = 256 << 20;
/// Packages of one program.
const MAX_PACKAGES: usize = 1_000;
/// The longest name the registry takes.
const MAX_NAME: usize = 214;

#[derive(Deserialize)]
struct Map {
    #[serde(default)]
    sources: Packages,
    /// A map may be made of several.
    #[serde(default)]
    sections: Vec<Section>,
}

#[derive(Deserialize)]
struct Section {
    #[serde(default)]
    map: Inner,
}

#[derive(Default, Deserialize)]
struct Inner {
    #[serde(default)]
    sources: Packages,
}

/// The packages that a list of files names.
#[derive(Default)]
struct Packages(BTreeSet<String>);

impl<'de> Deserialize<'de> for Packages {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Packages::default())
    }
}

impl<'de> Visitor<'de> for Packages {
    type Value = Self;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a list of paths")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Self, A::Error> {
        while let Some(path) = list.next_element::<Option<String>>()? {
            if let Some(name) = path.as_deref().and_then(package).filter(|_| self.0.len() < MAX_PACKAGES) {
                self.0.insert(name.to_owned());
            }
        }
        Ok(self)
    }
}

/// The package that a file is of: what lies in the last `node_modules` of its path.
fn package(path: &str) -> Option<&str> {
    let (_, inside) = path.rsplit_once("node_modules/")?;
    let parts = if inside.starts_with('@') { 2 } else { 1 };
    let end = inside.match_indices('/').nth(parts - 1)?.0;
    inside.get(..end).filter(|name| !name.is_empty() && !name.starts_with('.') && name.len() <= MAX_NAME)
}

fn wants(candidate: &Candidate<'_>) -> bool {
    let program = candidate.path.strip_suffix(".map").unwrap_or_default();
    [".js", ".mjs", ".cjs"].iter().any(|end| program.ends_with(end)) && !is_anothers(program)
}

/// What is no map says nothing; that the program is there says the program itself.
fn read(_: &Candidate<'_>, content: &mut dyn Read, file: &mut FileFacts) -> Result<(), String> {
    let map: Map = match serde_json::from_reader(BufReader::new(content.take(MAX_SIZE))) {
        Ok(map) => map,
        Err(error) if error.is_io() => return Err(error.to_string()),
        Err(_) => return Ok(()),
    };
    let inner = map.sections.into_iter().flat_map(|section| section.map.sources.0);
    let names: BTreeSet<String> = map.sources.0.into_iter().chain(inner).collect();
    if !names.is_empty() {
        file.readings.push(Reading::BuiltIn(names.into_iter().take(MAX_PACKAGES).collect()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
