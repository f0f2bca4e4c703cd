use std::collections::BTreeMap;
use std::io::Read;

use kiln_node::from_json;
use kiln_pkg::Elsewhere;
use serde::Deserialize;

use super::cataloger::{Candidate, Cataloger, read_whole};
use crate::facts::{FileFacts, Reading};

/// npm's own record of what it installed: which packages are needed in development only, what each was
/// checked with, and what it came from. Source: npm docs,
/// package-lock.json "Hidden Lockfiles".
pub(super) static CATALOGER: Cataloger =
    Cataloger { name: "npm-lock", examples: &["app/node_modules/.package-lock.json"], wants, read };

const MAX_SIZE: u64 = 64 << 20;
/// Three digests of SHA-512 are shorter.
const MAX_INTEGRITY: usize = 512;

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    packages: BTreeMap<String, Installed>,
}

#[derive(Deserialize)]
struct Installed {
    name: Option<String>,
    #[serde(default)]
    version: String,
    #[serde(default)]
    dev: bool,
    integrity: Option<String>,
    resolved: Option<String>,
    #[serde(default)]
    link: bool,
}

fn wants(candidate: &Candidate<'_>) -> bool {
    candidate.path.ends_with("node_modules/.package-lock.json")
}

fn read(candidate: &Candidate<'_>, content: &mut dyn Read, file: &mut FileFacts) -> Result<(), String> {
    let bytes = read_whole(content, MAX_SIZE)?;
    let lock: Lock = from_json(&bytes).map_err(|error| error.to_string())?;
    let root = candidate.path.trim_end_matches("node_modules/.package-lock.json");
    let mut dev = Vec::new();
    let mut integrity = Vec::new();
    let mut from = Vec::new();
    for (folder, installed) in lock.packages {
        let called = folder.rsplit_once("node_modules/").map_or(folder.as_str(), |(_, name)| name);
        let called = installed.name.as_deref().unwrap_or(called);
        // A link leads to a folder whose own manifest is read.
        let resolved = installed.resolved.as_deref().filter(|text| !installed.link && !text.is_empty());
        let elsewhere = resolved.and_then(|text| Elsewhere::of_fetched(text, called, &installed.version));
        let folder = format!("{root}{folder}");
        if let Some(text) = installed.integrity.filter(|text| text.len() <= MAX_INTEGRITY) {
            integrity.push((folder.clone(), text));
        }
        from.extend(elsewhere.map(|place| (folder.clone(), place)));
        if installed.dev {
            dev.push(folder);
        }
    }
    file.readings.push(Reading::DevOnly(dev));
    file.readings.push(Reading::Integrity(integrity));
    if !from.is_empty() {
        file.readings.push(Reading::From(from));
    }
    Ok(())
}
