//! `pnpm-lock.yaml`, versions 6 and 9.

use std::collections::BTreeMap;

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
            is_dev: package.dev,
            has_install_script: package.requires_build,
        });
    }
    Ok(lock)
}

/// `/name@1.2.3(peer@4)` of version 6, `name@1.2.3` of version 9.
fn split_key(key: &str) -> Option<(&str, &str)> {
    let key = key.strip_prefix('/').unwrap_or(key);
    let key = key.split_once('(').map_or(key, |(key, _)| key);
    let at = key.char_indices().skip(1).find(|(_, c)| *c == '@')?.0;
    Some((&key[..at], &key[at + 1..]))
}
