//! `yarn.lock` of yarn 1.

mod text;

use std::collections::HashSet;

use kiln_pkg::Elsewhere;

use crate::error::ErrorKind;
use crate::lock::Need;
use crate::{Error, Lock, LockedPackage};

/// Package, descriptor, whether it may be missing.
type Wanted = (usize, String, bool);
/// Package, what it needs, whether that may be missing.
pub(crate) type Edge = (usize, usize, bool);

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Lock, Error> {
    let unfit = |why: &str, help| ErrorKind::Unfit { path: path.to_owned(), why: why.to_owned(), help };
    let text = std::str::from_utf8(bytes).map_err(|_| unfit("is no UTF-8", "run `yarn install`"))?;
    if text.trim().is_empty() {
        return Err(unfit("is empty", "run `yarn install`").into());
    }
    let unread = |line| unfit(&format!("cannot be read as yarn does, at line {line}"), "run `yarn install`");
    let mut lock = Lock { version: 1, ..Lock::default() };
    let mut wanted: Vec<Wanted> = Vec::new();
    let mut section = String::new();
    let mut addresses: Vec<(usize, String)> = Vec::new();
    for item in text::items(text).map_err(unread)? {
        let last = lock.packages.len().saturating_sub(1);
        match (item.depth, lock.packages.last_mut(), item.value) {
            (0, _, None) => {
                for descriptor in &item.names {
                    lock.pin("", parted(descriptor).0);
                }
                lock.packages.push(heading(&item.names));
                let at = lock.packages.len() - 1;
                lock.by_range.extend(item.names.into_iter().map(|descriptor| (descriptor, at)));
            }
            (1, Some(_), None) => section = item.names.into_iter().next().unwrap_or_default(),
            (1, Some(package), Some(value)) => {
                for name in item.names {
                    match name.as_str() {
                        "resolved" => addresses.push((last, value.clone())),
                        name => field(package, name, &value),
                    }
                }
            }
            (2, Some(_), Some(range))
                if matches!(section.as_str(), "dependencies" | "optionalDependencies") =>
            {
                let optional = section.starts_with("optional");
                wanted.extend(item.names.iter().map(|name| (last, format!("{name}@{range}"), optional)));
            }
            (0, _, Some(_)) => lock.unread.extend(item.names),
            _ => {}
        }
    }
    for (at, address) in addresses {
        if let Some(package) = lock.packages.get_mut(at) {
            fetched(package, &address);
        }
    }
    let edges: Vec<Edge> = wanted
        .into_iter()
        .filter_map(|(from, descriptor, optional)| Some((from, *lock.by_range.get(&descriptor)?, optional)))
        .collect();
    connect(&mut lock.packages, &edges);
    let unversioned = lock.packages.iter().filter(|package| package.version.is_empty());
    lock.unread.extend(unversioned.map(|package| package.name.clone()));
    Ok(lock)
}

/// Takes in what `resolved` says; what was asked for elsewhere is from there whatever that is. A file of the cache that yarn may keep
/// beside the app (`yarn-offline-mirror`) has the package's name.
fn fetched(package: &mut LockedPackage, address: &str) {
    let of_cache = format!("{}-{}.tgz", package.name.replace('/', "-"), package.version);
    if package.elsewhere.is_none() && address.split('#').next() != Some(of_cache.as_str()) {
        package.fetched_from(address);
    }
}

fn field(package: &mut LockedPackage, name: &str, value: &str) {
    match name {
        "version" => value.clone_into(&mut package.version),
        "integrity" => {
            package.integrity = Some(value.to_owned());
            package.has_integrity = true;
        }
        _ => {}
    }
}

/// Notes what packages need on them, in the order of the file.
pub(crate) fn connect(packages: &mut [LockedPackage], edges: &[Edge]) {
    let mut known: HashSet<(usize, usize)> = HashSet::new();
    // An optional dependency is listed among the others, too: the last counts.
    for &(from, package, optional) in edges.iter().rev().filter(|(from, to, _)| from != to) {
        if let Some(source) = packages.get_mut(from)
            && known.insert((from, package))
        {
            source.needs.push(Need { package, optional });
        }
    }
    for package in packages {
        package.needs.reverse();
    }
}

/// The package of some descriptors: `@scope/name@^1.0.0`, or `alias@npm:real@^1.0.0`.
fn heading(descriptors: &[String]) -> LockedPackage {
    let elsewhere = descriptors.iter().find_map(|one| Elsewhere::of_npm(parted(one).1));
    let first = descriptors.first().map(String::as_str).unwrap_or_default();
    let first = first.split_once("@npm:").map_or(first, |(_, real)| real);
    LockedPackage { name: parted(first).0.to_owned(), elsewhere, ..LockedPackage::default() }
}

/// `@scope/name@range` as name and range.
fn parted(descriptor: &str) -> (&str, &str) {
    let at = descriptor.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(at, _)| at);
    at.map_or((descriptor, ""), |at| (&descriptor[..at], &descriptor[at + 1..]))
}
