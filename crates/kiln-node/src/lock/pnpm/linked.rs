//! Folders that a project is linked to. One that is no project of the workspace is somebody else's code, which nothing here pins.

use std::collections::BTreeMap;

use kiln_pkg::Elsewhere;

use super::{Dependency, File};
use crate::{Lock, LockedPackage};

/// Adds the folders that are linked to and are no importers as packages of their own, and lets what asks for them lead there.
pub(super) fn packages(file: &mut File, keys: &mut BTreeMap<String, usize>, lock: &mut Lock) {
    let importers: Vec<String> = file.importers.keys().cloned().collect();
    let mut add = |base: &str, name: &str, version: &mut String| {
        let Some(path) = version.strip_prefix("link:") else { return };
        let folder = joined(base, path);
        if importers.contains(&folder) {
            return;
        }
        let key = format!("link:{folder}");
        keys.entry(key.clone()).or_insert_with(|| {
            lock.packages.push(LockedPackage {
                name: name.to_owned(),
                elsewhere: Some(Elsewhere::Address(format!("file:{folder}"))),
                has_integrity: true,
                ..LockedPackage::default()
            });
            lock.packages.len() - 1
        });
        *version = key;
    };
    for (folder, importer) in &mut file.importers {
        let maps =
            [&mut importer.dependencies, &mut importer.dev_dependencies, &mut importer.optional_dependencies];
        for (name, dependency) in maps.into_iter().flatten() {
            let (Dependency::Locked(version) | Dependency::Full { version, .. }) = dependency;
            add(folder, name, version);
        }
    }
    // What packages are linked to is given from the top of the workspace.
    let old = file.packages.values_mut().map(|one| (&mut one.dependencies, &mut one.optional_dependencies));
    let new = file.snapshots.values_mut().map(|one| (&mut one.dependencies, &mut one.optional_dependencies));
    for (firm, optional) in old.chain(new) {
        firm.iter_mut().chain(optional).for_each(|(name, version)| add(".", name, version));
    }
}

/// `path` as seen from `base`, as importers are named: `.` is the top.
fn joined(base: &str, path: &str) -> String {
    if path.starts_with('/') {
        return path.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(path.split('/')) {
        match (part, parts.last()) {
            ("" | ".", _) => {}
            ("..", Some(&last)) if last != ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}
