//! Which names a lock file gives a package for, so that what it does not hold is not taken for looked at.

use std::collections::BTreeSet;

use crate::{Lock, PackageJson};

impl Lock {
    /// Notes that `name` leads to something for whatever lies in `folder` or below it.
    pub fn pin(&mut self, folder: &str, name: &str) {
        self.pinned.entry(folder.to_owned()).or_default().insert(name.to_owned());
    }

    /// Whether `name` leads to something for the project in `folder`: a package, or a project of the workspace.
    pub fn pins(&self, folder: &str, name: &str) -> bool {
        let above =
            std::iter::successors(Some(folder), |folder| folder.rsplit_once('/').map(|(above, _)| above));
        let holds = |folder: &str| self.pinned.get(folder).is_some_and(|names| names.contains(name));
        above.chain([""]).any(holds)
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

    /// Whether `name` at `spec` is what a project of this lock file asked for, too, and got.
    pub fn pins_for_another(&self, name: &str, spec: &str) -> bool {
        self.by_range.contains_key(&format!("{name}@{spec}"))
            || self.asked.iter().any(|(folder, asked)| {
                asked.get(name).is_some_and(|known| known == spec) && self.pins(folder, name)
            })
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
