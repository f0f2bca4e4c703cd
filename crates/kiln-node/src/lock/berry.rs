//! `yarn.lock` of yarn 2 and newer. Source: yarn's own `Project.ts` and the documentation of "Lexicon: Descriptor, Locator".

use std::collections::BTreeMap;

use kiln_pkg::Elsewhere;
use kiln_pkg::version::SemVer;
use kiln_text::percent;
use serde::Deserialize;

use super::graph::of_name;
use super::yarn::connect;
use crate::error::{ErrorKind, unknown_version};
use crate::lock::{Direct, Platforms};
use crate::{Error, Lock, LockedPackage};

/// The newest version of the format that is known. Source: yarn's `Project.ts`, `LOCKFILE_VERSION`.
const NEWEST: u32 = 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default)]
    version: String,
    #[serde(default)]
    resolution: String,
    checksum: Option<String>,
    /// `os=linux & cpu=(x64 | arm64)`
    conditions: Option<String>,
    #[serde(default)]
    dependencies: BTreeMap<String, String>,
    #[serde(default)]
    dependencies_meta: BTreeMap<String, Meta>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(default)]
    optional: bool,
}

pub(crate) fn is_berry(bytes: &[u8]) -> bool {
    bytes.starts_with(b"__metadata:")
        || bytes.windows(13).any(|window| window == b"\n__metadata:\n" || window == b"\n__metadata:\r")
}

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Lock, Error> {
    let text = String::from_utf8_lossy(bytes);
    let file: BTreeMap<String, Entry> =
        serde_saphyr::from_str(&text).map_err(|source| ErrorKind::Yaml { path: path.to_owned(), source })?;
    let mut lock = Lock { version: 2, ..Lock::default() };
    let mut wanted = Vec::new();
    let mut projects = Vec::new();
    for (key, entry) in &file {
        if key == "__metadata" {
            let newest = entry.version.parse().ok().filter(|version: &u32| *version <= NEWEST);
            newest.ok_or_else(|| unknown_version(path, &entry.version))?;
            continue;
        }
        let Some((name, reference)) = parted(&entry.resolution) else {
            lock.unread.push(key.clone());
            continue;
        };
        for descriptor in key.split(", ") {
            lock.pin("", parted(descriptor).map_or(descriptor, |(name, _)| name));
        }
        if let Some(folder) = reference.strip_prefix("workspace:") {
            projects.push((if folder == "." { "" } else { folder }, entry));
            continue;
        }
        let at = lock.packages.len();
        lock.by_range.extend(key.split(", ").map(|descriptor| (descriptor.to_owned(), at)));
        let mut locked = LockedPackage {
            name: name.to_owned(),
            version: entry.version.clone(),
            elsewhere: elsewhere(reference),
            // The checksum is of yarn's own archive of the package, not of what the registry sends.
            has_integrity: entry.checksum.is_some(),
            platforms: platforms(entry.conditions.as_deref().unwrap_or_default()),
            ..LockedPackage::default()
        };
        lock.addresses.extend(address_in(reference).map(|address| (name.to_owned(), address)));
        let is_told = fetched(reference, &mut locked);
        lock.packages.push(locked);
        if !is_told || entry.version.is_empty() {
            lock.unread.push(key.clone());
        }
        wanted.push((at, entry));
    }
    let known = lock.by_range.clone();
    let mut edges = Vec::new();
    for (at, entry) in wanted {
        for (name, range) in &entry.dependencies {
            let optional = entry.dependencies_meta.get(name).is_some_and(|meta| meta.optional);
            edges.extend(pinned(&known, name, range).into_iter().map(|to| (at, to, optional)));
        }
    }
    connect(&mut lock.packages, &edges);
    for (folder, entry) in projects {
        let direct = entry.dependencies.iter().flat_map(|(name, range)| {
            let optional = entry.dependencies_meta.get(name).is_some_and(|meta| meta.optional);
            // What is for development stands among the others; `relate` knows better.
            pinned(&known, name, range).into_iter().map(move |package| Direct {
                package,
                dev: false,
                optional,
            })
        });
        lock.direct.insert(folder.to_owned(), direct.collect());
        lock.asked.insert(folder.to_owned(), entry.dependencies.clone());
    }
    Ok(lock)
}

/// The package behind `name@range`: older files leave out the protocol in dependencies. Behind a range that was replaced all of that name.
fn pinned(known: &BTreeMap<String, usize>, name: &str, range: &str) -> Vec<usize> {
    let keys = [format!("{name}@{range}"), format!("{name}@npm:{range}")];
    match keys.iter().find_map(|key| known.get(key)) {
        Some(at) => vec![*at],
        None => of_name(known, name),
    }
}

/// `@scope/name@npm:1.0.0` as name and reference.
fn parted(resolution: &str) -> Option<(&str, &str)> {
    let at = resolution.char_indices().skip(1).find(|(_, c)| *c == '@')?.0;
    Some((&resolution[..at], &resolution[at + 1..]))
}

/// What a reference says of where the code is from. A patch changes a little of what is from there.
fn elsewhere(reference: &str) -> Option<Elsewhere> {
    if let Some(patched) = reference.strip_prefix("patch:") {
        let locator = percent::decode_loosely(patched.split('#').next().unwrap_or_default());
        let locator = String::from_utf8_lossy(&locator).into_owned();
        return parted(&locator).and_then(|(_, inner)| elsewhere(inner));
    }
    if reference.starts_with("npm:") {
        return None;
    }
    Elsewhere::of_npm(reference).or_else(|| Some(Elsewhere::Address(reference.to_owned())))
}

/// Puts what yarn fetches for a reference in place of what its entry says beside it: `npm:1.0.0::__archiveUrl=ADDRESS`, where
/// the address counts, and else the version in the reference; of a patch that of what is patched. Whether the reference is one that can be told.
fn fetched(reference: &str, package: &mut LockedPackage) -> bool {
    if let Some(patched) = reference.strip_prefix("patch:") {
        let locator = percent::decode_loosely(patched.split('#').next().unwrap_or_default());
        let Some((real, inner)) =
            parted(&String::from_utf8_lossy(&locator)).map(|(a, b)| (a.to_owned(), b.to_owned()))
        else {
            return false;
        };
        package.name = real;
        return fetched(&inner, package);
    }
    let Some(reference) = reference.strip_prefix("npm:") else { return true };
    let (locked, parameters) = match reference.split_once("::") {
        Some((locked, parameters)) => (locked, Some(parameters)),
        None => (reference, None),
    };
    // yarn itself writes no `v` in front.
    let is_version = locked.starts_with(|c: char| c.is_ascii_digit()) && SemVer::parse(locked).is_some();
    if is_version && !package.version.is_empty() {
        locked.clone_into(&mut package.version);
    }
    let Some(parameters) = parameters else { return is_version };
    let address = parameters.strip_prefix("__archiveUrl=").filter(|address| !address.contains(['&', '+']));
    let address = address.and_then(percent::decode).and_then(|bytes| String::from_utf8(bytes).ok());
    if let Some(address) = &address {
        package.fetched_from(address);
    }
    is_version && address.is_some()
}

/// The address that a reference holds, in whatever spelling: what cannot be read is told as it stands.
fn address_in(reference: &str) -> Option<String> {
    let mut text = reference.to_owned();
    // That of a patch is coded once more.
    for _ in 0..3 {
        text = String::from_utf8_lossy(&percent::decode_loosely(&text)).into_owned();
    }
    let mut addresses = text.split("__archiveUrl").skip(1);
    let address = addresses.next()?.trim_start_matches('=');
    // Of two nobody knows which is taken.
    let is_one = addresses.next().is_none();
    Some(address.split(['#', '&']).next().filter(|_| is_one).unwrap_or_default().to_owned())
}

fn platforms(conditions: &str) -> Platforms {
    let mut found = Platforms::default();
    for condition in conditions.split('&') {
        let Some((key, names)) = condition.trim().split_once('=') else { continue };
        let names = names.trim_matches(['(', ')']).split('|');
        // `os=(darwin | os=linux)` repeats the key.
        let names = names.map(|name| name.trim().rsplit('=').next().unwrap_or_default().to_owned()).collect();
        match key.trim_matches('(') {
            "os" => found.os = names,
            "cpu" => found.cpu = names,
            "libc" => found.libc = names,
            _ => {}
        }
    }
    found
}
