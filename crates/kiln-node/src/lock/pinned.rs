//! Which names a lock file gives a package for, so that what it does not hold is not taken for looked at.

use std::collections::{BTreeMap, BTreeSet};

use crate::lock::places::is_within;
use crate::{Lock, PackageJson};

impl Lock {
    /// Notes that `name` leads to something for whatever lies in `folder` or below it.
    pub fn pin(&mut self, folder: &str, name: &str) {
        self.pinned.entry(name.to_owned()).or_default().insert(folder.to_owned());
    }

    /// Whether `name` leads to something for the project in `folder`: a package, or a project of the workspace.
    pub fn pins(&self, folder: &str, name: &str) -> bool {
        let Some(folders) = self.pinned.get(name) else { return false };
        // Whichever are fewer: the folders that have it, or those above.
        if folders.len() <= folder.matches('/').count() {
            return folders.iter().any(|above| is_within(folder, above));
        }
        let above =
            std::iter::successors(Some(folder), |folder| folder.rsplit_once('/').map(|(above, _)| above));
        above.chain([""]).any(|folder| folders.contains(folder))
    }

    /// What the project in `folder` asks for, by its manifest or by the lock file's own account, and the lock file does not pin. Sorted.
    pub fn not_pinned(&self, folder: &str, manifest: Option<&PackageJson>) -> Vec<String> {
        let manifest = manifest.into_iter().flat_map(PackageJson::asked);
        let asked = self.asked.get(folder).into_iter().flatten().chain(manifest);
        let names: BTreeSet<&String> = asked
            .filter(|(name, spec)| !is_beside(spec) && !self.pins(folder, name))
            .map(|(name, _)| name)
            .collect();
        names.into_iter().cloned().collect()
    }

    /// What any project of this lock file asked for and got.
    pub fn pinned_for_all(&self) -> PinnedForAll<'_> {
        let all = self.asked.iter().flat_map(|(folder, asked)| asked.iter().map(move |one| (folder, one)));
        let got = all
            .filter(|(folder, (name, _))| self.pins(folder, name))
            .map(|(_, (name, spec))| (name.as_str(), spec.as_str()));
        PinnedForAll { by_range: &self.by_range, asked: got.collect() }
    }
}

/// What projects of a lock file asked for and got, whichever of them did.
#[derive(Debug)]
pub struct PinnedForAll<'a> {
    by_range: &'a BTreeMap<String, usize>,
    asked: BTreeSet<(&'a str, &'a str)>,
}

impl PinnedForAll<'_> {
    /// Whether that is among it.
    pub fn contains(&self, name: &str, spec: &str) -> bool {
        self.asked.contains(&(name, spec)) || self.by_range.contains_key(&format!("{name}@{spec}"))
    }
}

/// Projects of the workspace are asked for so, and no lock file of yarn 1 names them.
fn is_beside(spec: &str) -> bool {
    spec.starts_with("workspace:")
}

impl PackageJson {
    /// What the project asks for to run, to be built, or where it can be had: names and ranges.
    pub fn asked(&self) -> impl Iterator<Item = (&String, &String)> {
        self.dependencies.iter().chain(&self.dev_dependencies).chain(&self.optional_dependencies)
    }
}
