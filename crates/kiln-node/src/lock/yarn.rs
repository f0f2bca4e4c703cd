//! `yarn.lock` of yarn 1.

use std::collections::{BTreeMap, HashSet};

use kiln_pkg::Elsewhere;

use crate::error::ErrorKind;
use crate::lock::Need;
use crate::lock::archive::Archive;
use crate::{Error, Lock, LockedPackage};

/// Package, descriptor, whether it may be missing.
type Wanted = (usize, String, bool);

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Lock, Error> {
    let unfit = |why: &str, help| ErrorKind::Unfit { path: path.to_owned(), why: why.to_owned(), help };
    let text = std::str::from_utf8(bytes).map_err(|_| unfit("is no UTF-8", "run `yarn install`"))?;
    if text.trim().is_empty() {
        return Err(unfit("is empty", "run `yarn install`").into());
    }
    let mut lock = Lock { version: 1, ..Lock::default() };
    let mut wanted: Vec<Wanted> = Vec::new();
    let mut section = "";
    let mut archives = Vec::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let last = lock.packages.len().saturating_sub(1);
        match (indent, lock.packages.last_mut()) {
            (0, _) => {
                let descriptors =
                    line.trim_end_matches(':').split(", ").map(|one| one.trim_matches('"').to_owned());
                lock.by_range.extend(descriptors.map(|descriptor| (descriptor, lock.packages.len())));
                for descriptor in line.trim_end_matches(':').split(", ") {
                    lock.pin("", parted(descriptor.trim_matches('"')).0);
                }
                lock.packages.push(heading(line));
            }
            (2, Some(package)) => {
                section = line.strip_suffix(':').unwrap_or_default().trim_matches('"');
                field(package, line);
                archives.extend(fetched(line).map(|archive| (last, archive)));
            }
            (4, Some(_)) if matches!(section, "dependencies" | "optionalDependencies") => {
                let optional = section.starts_with("optional");
                wanted.extend(descriptor(line).map(|one| (lock.packages.len() - 1, one, optional)));
            }
            _ => {}
        }
    }
    for (at, archive) in archives {
        if let Some(package) = lock.packages.get_mut(at) {
            archive.tell(&mut package.name, &mut package.version);
        }
    }
    connect(&mut lock.packages, &lock.by_range, wanted);
    let unversioned = lock.packages.iter().filter(|package| package.version.is_empty());
    lock.unread = unversioned.map(|package| package.name.clone()).collect();
    Ok(lock)
}

/// What the line `resolved "https://…"` says.
fn fetched(line: &str) -> Option<Archive> {
    let (name, value) = line.split_once(' ')?;
    let is_it = name.trim_end_matches(':').trim_matches('"') == "resolved";
    Archive::of(value.trim().trim_matches('"')).filter(|_| is_it)
}

/// `version "1.2.3"`; names may stand in quotes, too, and a colon may follow them. Source: yarn, `lockfile/parse.js`.
fn field(package: &mut LockedPackage, line: &str) {
    let Some((name, value)) = line.split_once(' ') else { return };
    let value = value.trim().trim_matches('"');
    match name.trim_end_matches(':').trim_matches('"') {
        "version" => value.clone_into(&mut package.version),
        // What is asked for by version may lie at any address of a registry.
        "resolved" if package.elsewhere.is_none() => {
            package.elsewhere =
                Elsewhere::of_npm(value).filter(|from| matches!(from, Elsewhere::Repository(_)));
        }
        "integrity" => {
            package.integrity = Some(value.to_owned());
            package.has_integrity = true;
        }
        _ => {}
    }
}

/// `"@scope/name" "^1.0.0"` as `@scope/name@^1.0.0`.
fn descriptor(line: &str) -> Option<String> {
    let (name, range) = line.split_once(' ')?;
    Some(format!("{}@{}", name.trim_end_matches(':').trim_matches('"'), range.trim().trim_matches('"')))
}

/// Turns what packages want into edges, in the order of the file.
pub(crate) fn connect(
    packages: &mut [LockedPackage],
    by_range: &BTreeMap<String, usize>,
    wanted: Vec<Wanted>,
) {
    let mut known: HashSet<(usize, usize)> = HashSet::new();
    // An optional dependency is listed among the others, too: the last counts.
    for (from, descriptor, optional) in wanted.into_iter().rev() {
        let to = by_range.get(&descriptor).copied().filter(|to| *to != from);
        if let (Some(package), Some(source)) = (to, packages.get_mut(from))
            && known.insert((from, package))
        {
            source.needs.push(Need { package, optional });
        }
    }
    for package in packages {
        package.needs.reverse();
    }
}

/// `"@scope/name@^1.0.0", "@scope/name@^1.1.0":` or `alias@npm:real@^1.0.0:`
fn heading(line: &str) -> LockedPackage {
    let descriptors = || line.trim_end_matches(':').split(", ").map(|one| one.trim_matches('"'));
    let elsewhere = descriptors().find_map(|one| Elsewhere::of_npm(parted(one).1));
    let first = descriptors().next().unwrap_or_default();
    let first = first.split_once("@npm:").map_or(first, |(_, real)| real);
    LockedPackage { name: parted(first).0.to_owned(), elsewhere, ..LockedPackage::default() }
}

/// `@scope/name@range` as name and range.
fn parted(descriptor: &str) -> (&str, &str) {
    let at = descriptor.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(at, _)| at);
    at.map_or((descriptor, ""), |at| (&descriptor[..at], &descriptor[at + 1..]))
}
