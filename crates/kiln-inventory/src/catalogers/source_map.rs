use std::collections::BTreeSet;
use std::io::{BufReader, Read};

use super::bundle::{is_anothers, is_script};
use super::cataloger::{Candidate, Cataloger};
use crate::facts::{FileFacts, Reading};

mod listed;

/// Source maps of an app's programs: they name the files that were built into each, whatever was left of them. Source: ECMA-426,
/// "Source map format".
pub(super) static CATALOGER: Cataloger =
    Cataloger { name: "source-map", examples: &["app/dist/server.js.map", "srv/main.mjs.map"], wants, read };

/// Bytes of a map that are read.
const MAX_SIZE: u64 = 256 << 20;
/// Packages of one program.
const MAX_PACKAGES: usize = 10_000;
/// The longest name the registry takes.
const MAX_NAME: usize = 214;

/// The package that a file is of: what lies in the last `node_modules` of its path, which Windows writes with backslashes.
fn package(path: &str) -> Option<String> {
    let path = path.replace('\\', "/");
    let (_, inside) = path.rsplit_once("node_modules/")?;
    let parts = if inside.starts_with('@') { 2 } else { 1 };
    let end = inside.match_indices('/').nth(parts - 1)?.0;
    let name = inside.get(..end)?;
    (!name.is_empty() && !name.starts_with('.') && name.len() <= MAX_NAME).then(|| name.to_owned())
}

fn wants(candidate: &Candidate<'_>) -> bool {
    let program = candidate.path.strip_suffix(".map").unwrap_or_default();
    is_script(program) && !is_anothers(program)
}

/// What is no map says nothing; that the program is there says the program itself.
fn read(_: &Candidate<'_>, content: &mut dyn Read, file: &mut FileFacts) -> Result<(), String> {
    let mut names = BTreeSet::new();
    let mut is_more = false;
    let mut limited = content.take(MAX_SIZE + 1);
    let read = listed::sources(BufReader::new(&mut limited), |path| {
        let name = package(path).filter(|name| !names.contains(name));
        is_more |= name.is_some() && names.len() == MAX_PACKAGES;
        names.extend(name.filter(|_| names.len() < MAX_PACKAGES));
    });
    read.map_err(|error| error.to_string())?;
    if !names.is_empty() {
        file.readings.push(Reading::BuiltIn(names.into_iter().collect()));
    }
    match limited.limit() {
        0 => Err(format!("it is larger than {MAX_SIZE} bytes")),
        _ if is_more => Err(format!("it names more than {MAX_PACKAGES} packages")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
