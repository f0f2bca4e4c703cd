use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Error, Manager, PackageJson, lock_npm, lock_pnpm, lock_yarn};

/// A lock file, by its name on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LockKind {
    /// `package-lock.json`
    PackageLock,
    /// `npm-shrinkwrap.json`
    Shrinkwrap,
    /// `pnpm-lock.yaml`
    Pnpm,
    /// `yarn.lock`
    Yarn,
}

impl LockKind {
    /// Every kind, in the order in which they are looked for.
    pub const ALL: [Self; 4] = [Self::Shrinkwrap, Self::PackageLock, Self::Pnpm, Self::Yarn];

    /// The name of the file.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::PackageLock => "package-lock.json",
            Self::Shrinkwrap => "npm-shrinkwrap.json",
            Self::Pnpm => "pnpm-lock.yaml",
            Self::Yarn => "yarn.lock",
        }
    }

    /// The package manager that writes it.
    pub fn manager(self) -> Manager {
        match self {
            Self::PackageLock | Self::Shrinkwrap => Manager::Npm,
            Self::Pnpm => Manager::Pnpm,
            Self::Yarn => Manager::Yarn,
        }
    }
}

/// What a lock file pins.
#[derive(Clone, Debug, Default)]
pub struct Lock {
    /// All packages from a registry, in the order of the file.
    pub packages: Vec<LockedPackage>,
    /// What each project of the workspace asked for when the file was written: folder (empty for the root) to
    /// package name to range. Empty where the format does not tell.
    pub asked: BTreeMap<String, BTreeMap<String, String>>,
}

/// One package that a lock file pins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedPackage {
    /// Its name in the registry.
    pub name: String,
    /// Its exact version.
    pub version: String,
    /// The lock file holds a hash of its content.
    pub has_integrity: bool,
    /// Only development needs it; `None` where the format does not tell.
    pub is_dev: Option<bool>,
    /// It runs scripts when it is installed; `None` where the format does not tell.
    pub has_install_script: Option<bool>,
}

impl Lock {
    /// Reads a lock file. `path` is used in messages only.
    pub fn read(kind: LockKind, path: &str, bytes: &[u8]) -> Result<Self, Error> {
        match kind {
            LockKind::PackageLock | LockKind::Shrinkwrap => lock_npm::read(path, bytes),
            LockKind::Pnpm => lock_pnpm::read(path, bytes),
            LockKind::Yarn => lock_yarn::read(path, bytes),
        }
    }

    /// Where the project in `folder` asks for something else than the lock file was written for: one line each.
    pub fn out_of_step(&self, folder: &str, package: &PackageJson) -> Vec<String> {
        if self.asked.is_empty() {
            return Vec::new();
        }
        let nothing = BTreeMap::new();
        let locked = self.asked.get(folder).unwrap_or(&nothing);
        let wanted: BTreeMap<&String, &String> = package
            .dependencies
            .iter()
            .chain(&package.dev_dependencies)
            .chain(&package.optional_dependencies)
            .collect();
        let mut lines = Vec::new();
        for (name, range) in &wanted {
            match locked.get(*name) {
                None => lines.push(format!("{name} {range} is not in the lock file")),
                Some(old) if old != *range => {
                    lines.push(format!("{name} is {range} here, {old} in the lock file"));
                }
                Some(_) => {}
            }
        }
        let gone = locked.keys().filter(|name| !wanted.contains_key(name));
        lines.extend(gone.map(|name| format!("{name} is in the lock file only")));
        lines
    }

    /// Packages whose content is not pinned by a hash, as `name@version`.
    pub fn without_integrity(&self) -> Vec<String> {
        let bare = self.packages.iter().filter(|package| !package.has_integrity);
        bare.map(|package| format!("{}@{}", package.name, package.version)).collect()
    }
}
