//! `pnpm-lock.yaml`, versions 6 and 9.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::error::ErrorKind;
use crate::{Error, Lock, LockedPackage};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    importers: BTreeMap<String, Importer>,
    #[serde(default)]
    packages: BTreeMap<String, Package>,
    /// Version 9: what each package, with its peers, depends on.
    #[serde(default)]
    snapshots: BTreeMap<String, Snapshot>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Snapshot {
    #[serde(default)]
    dependencies: BTreeMap<String, String>,
    #[serde(default)]
    optional_dependencies: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Importer {
    #[serde(default)]
    dependencies: BTreeMap<String, Dependency>,
    #[serde(default)]
    dev_dependencies: BTreeMap<String, Dependency>,
    #[serde(default)]
    optional_dependencies: BTreeMap<String, Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    specifier: String,
    /// `1.2.3(peer@4)`, the key of another package, or `link:../shared`.
    #[serde(default)]
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    resolution: Resolution,
    #[serde(default)]
    dev: Option<bool>,
    #[serde(default)]
    requires_build: Option<bool>,
}

#[derive(Deserialize)]
struct Resolution {
    integrity: Option<String>,
    commit: Option<String>,
}

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Lock, Error> {
    let unfit = |why: &str| ErrorKind::Unfit {
        path: path.to_owned(),
        why: why.to_owned(),
        help: "run `pnpm install` with pnpm 8 or newer",
    };
    let text = std::str::from_utf8(bytes).map_err(|_| unfit("is no UTF-8"))?;
    // pnpm 11 puts a document about itself before the one about the project.
    let document = text.rsplit_once("\n---\n").map_or(text, |(_, last)| last);
    let file: File = serde_saphyr::from_str(document)
        .map_err(|source| ErrorKind::Yaml { path: path.to_owned(), source })?;
    if file.importers.is_empty() {
        return Err(unfit("has no importers, so it is too old or empty").into());
    }
    let production = production(&file);
    let mut lock = Lock::default();
    for (folder, importer) in file.importers {
        let folder = if folder == "." { String::new() } else { folder };
        let asked = importer.dependencies.into_iter();
        let asked = asked.chain(importer.dev_dependencies).chain(importer.optional_dependencies);
        lock.asked.insert(folder, asked.map(|(name, dependency)| (name, dependency.specifier)).collect());
    }
    for (key, package) in file.packages {
        let Some((name, version)) = split_key(&key) else {
            return Err(unfit(&format!("names the package `{key}`, which is no name@version")).into());
        };
        lock.packages.push(LockedPackage {
            name: name.to_owned(),
            version: version.to_owned(),
            has_integrity: package.resolution.integrity.is_some() || package.resolution.commit.is_some(),
            is_dev: package.dev.or_else(|| production.as_ref().map(|keys| !keys.contains(key.as_str()))),
            has_install_script: package.requires_build,
        });
    }
    Ok(lock)
}

/// The keys of the packages that production needs, found by following what each depends on; `None` for files older
/// than version 9, which say it of each package.
fn production(file: &File) -> Option<BTreeSet<String>> {
    if file.snapshots.is_empty() && !file.packages.is_empty() {
        return None;
    }
    let key = |name: &str, version: &str| {
        // An alias stands under the key of the real package.
        if file.snapshots.contains_key(version) { version.to_owned() } else { format!("{name}@{version}") }
    };
    let mut open: Vec<String> = file
        .importers
        .values()
        .flat_map(|importer| importer.dependencies.iter().chain(&importer.optional_dependencies))
        .map(|(name, dependency)| key(name, &dependency.version))
        .collect();
    let mut seen = BTreeSet::new();
    while let Some(next) = open.pop() {
        let Some(snapshot) = file.snapshots.get(&next) else { continue };
        if seen.insert(next) {
            let below = snapshot.dependencies.iter().chain(&snapshot.optional_dependencies);
            open.extend(below.map(|(name, version)| key(name, version)));
        }
    }
    Some(
        seen.into_iter()
            .map(|key| key.split_once('(').map_or(key.clone(), |(key, _)| key.to_owned()))
            .collect(),
    )
}

/// `/name@1.2.3(peer@4)` of version 6, `name@1.2.3` of version 9.
fn split_key(key: &str) -> Option<(&str, &str)> {
    let key = key.strip_prefix('/').unwrap_or(key);
    let key = key.split_once('(').map_or(key, |(key, _)| key);
    let at = key.char_indices().skip(1).find(|(_, c)| *c == '@')?.0;
    Some((&key[..at], &key[at + 1..]))
}
