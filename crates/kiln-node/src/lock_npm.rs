//! `package-lock.json`, versions 2 and 3: the `packages` map.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::ErrorKind;
use crate::{Error, Lock, LockedPackage};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    lockfile_version: u32,
    #[serde(default)]
    packages: BTreeMap<String, Package>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Package {
    name: Option<String>,
    version: Option<String>,
    resolved: Option<String>,
    integrity: Option<String>,
    link: bool,
    dev: bool,
    in_bundle: bool,
    has_install_script: bool,
    dependencies: BTreeMap<String, String>,
    dev_dependencies: BTreeMap<String, String>,
    optional_dependencies: BTreeMap<String, String>,
}

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Lock, Error> {
    let file: File =
        serde_json::from_slice(bytes).map_err(|source| ErrorKind::Json { path: path.to_owned(), source })?;
    if file.lockfile_version < 2 {
        return Err(ErrorKind::Unfit {
            path: path.to_owned(),
            why: format!("has lockfileVersion {}, which pins too little", file.lockfile_version),
            help: "run `npm install` with npm 7 or newer, which writes version 3",
        }
        .into());
    }
    let mut lock = Lock::default();
    for (place, package) in file.packages {
        match place.rsplit_once("node_modules/") {
            Some(_) if package.link => {}
            Some((_, name)) => lock.packages.push(package.locked(name)),
            // The root, or a workspace folder.
            None => {
                let asked = package.dependencies.into_iter();
                let asked = asked.chain(package.dev_dependencies).chain(package.optional_dependencies);
                lock.asked.insert(place, asked.collect());
            }
        }
    }
    Ok(lock)
}

impl Package {
    fn locked(self, name: &str) -> LockedPackage {
        let from_elsewhere = self.resolved.as_deref().is_some_and(|resolved| resolved.starts_with("git"));
        LockedPackage {
            // An alias lies in a folder of another name.
            name: self.name.unwrap_or_else(|| name.to_owned()),
            version: self.version.unwrap_or_default(),
            // A git commit is a hash of its content; a bundled package is covered by its parent's.
            has_integrity: self.integrity.is_some() || self.in_bundle || from_elsewhere,
            is_dev: Some(self.dev),
            has_install_script: Some(self.has_install_script),
        }
    }
}
