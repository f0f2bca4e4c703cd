mod archive;
mod berry;
mod bun;
mod graph;
mod npm;
mod pinned;
mod places;
mod pnpm;
mod step;
mod yarn;

use std::collections::{BTreeMap, BTreeSet};

use kiln_pkg::{Elsewhere, is_npm_name};
use serde::{Deserialize, Serialize};

use crate::error::ErrorKind;
use crate::{Error, Manager};
pub(crate) use berry::is_berry;
pub use pinned::PinnedForAll;

/// A lock file that kiln can install from, by its name on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LockKind {
    /// `package-lock.json`
    PackageLock,
    /// `npm-shrinkwrap.json`
    Shrinkwrap,
    /// `pnpm-lock.yaml`
    Pnpm,
    /// `yarn.lock` of yarn 1
    Yarn,
    /// `yarn.lock` of yarn 2 and newer
    Berry,
    /// `bun.lock`
    Bun,
}

impl LockKind {
    /// A kind for every name, in the order in which they are looked for; what is in a `yarn.lock` tells which yarn wrote it.
    pub const ALL: [Self; 5] = [Self::Shrinkwrap, Self::PackageLock, Self::Pnpm, Self::Yarn, Self::Bun];

    /// The kind of a file that has the name of this one and holds these bytes.
    pub fn of(self, bytes: &[u8]) -> Self {
        if self == Self::Yarn && is_berry(bytes) { Self::Berry } else { self }
    }

    /// The name of the file.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::PackageLock => "package-lock.json",
            Self::Shrinkwrap => "npm-shrinkwrap.json",
            Self::Pnpm => "pnpm-lock.yaml",
            Self::Yarn | Self::Berry => "yarn.lock",
            Self::Bun => "bun.lock",
        }
    }

    /// The package manager that writes it.
    pub fn manager(self) -> Manager {
        match self {
            Self::PackageLock | Self::Shrinkwrap => Manager::Npm,
            Self::Pnpm => Manager::Pnpm,
            Self::Yarn | Self::Berry => Manager::Yarn,
            Self::Bun => Manager::Bun,
        }
    }
}

/// A format of lock files that can be read, of whatever age, whether or not kiln can install from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockFormat {
    /// npm, versions 1 to 3.
    Npm,
    /// pnpm, versions 5 to 9.
    Pnpm,
    /// yarn 1, and yarn 2 and newer.
    Yarn,
    /// bun's text format.
    Bun,
}

impl LockFormat {
    /// The format of a file of that name, in the order in which one of several beside each other wins.
    pub fn of(file_name: &str) -> Option<Self> {
        Some(match file_name {
            "npm-shrinkwrap.json" | "package-lock.json" => Self::Npm,
            "pnpm-lock.yaml" => Self::Pnpm,
            "yarn.lock" => Self::Yarn,
            "bun.lock" => Self::Bun,
            _ => return None,
        })
    }
}

/// What a lock file pins.
#[derive(Clone, Debug, Default)]
pub struct Lock {
    /// Version of the format as the file gives it; 0 where it gives none.
    pub version: u32,
    /// All packages from a registry, in the order of the file.
    pub packages: Vec<LockedPackage>,
    /// What each project of the workspace asked for when the file was written: folder (empty for the root) to
    /// package name to range. Empty where the format does not tell.
    pub asked: BTreeMap<String, BTreeMap<String, String>>,
    /// The packages that pnpm takes in place of what projects ask for: the name, with a range behind `@` where only that is replaced.
    pub(crate) overrides: BTreeSet<String>,
    /// The packages that the projects ask for, by folder. Filled by [`Lock::relate`] where the format does not tell.
    pub direct: BTreeMap<String, Vec<Direct>>,
    /// Entries that name no package at a version, as they stand in the file. They cost nothing but themselves.
    pub unread: Vec<String>,
    /// The package behind `name@range`, or behind the name alone, for formats that do not tell what projects ask for.
    pub(crate) by_range: BTreeMap<String, usize>,
    /// Where npm lays packages: which of [`Lock::packages`] by the folder (`node_modules/a`). Empty where the format does not tell.
    pub places: BTreeMap<String, usize>,
    /// Addresses that the file itself gives for packages of a registry, with their names, where the package manager shows that registry's
    /// login to whatever stands there: yarn 2 and newer, and bun.
    pub addresses: Vec<(String, String)>,
    /// The packages of npm's version 1 that have no address or no hash.
    pub(crate) loose: Vec<String>,
    /// The names that lead to something: the folders of the projects for which, and for those below, they do.
    pub(crate) pinned: BTreeMap<String, BTreeSet<String>>,
}

/// A package that a project asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Direct {
    /// Which of [`Lock::packages`].
    pub package: usize,
    /// For development only.
    pub dev: bool,
    /// It may be missing.
    pub optional: bool,
}

/// One package that a lock file pins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockedPackage {
    /// Its name in the registry.
    pub name: String,
    /// Its exact version.
    pub version: String,
    /// Where it is from, where that is no registry. Its version is empty where that place has none.
    pub elsewhere: Option<Elsewhere>,
    /// The lock file holds a hash of its content.
    pub has_integrity: bool,
    /// That hash in npm's form, where it is in that form.
    pub integrity: Option<String>,
    /// Only development needs it; `None` where the format does not tell.
    pub is_dev: Option<bool>,
    /// It may be missing: only optional dependencies lead to it; `None` where the format does not tell.
    pub is_optional: Option<bool>,
    /// It runs scripts when it is installed; `None` where the format does not tell.
    pub has_install_script: Option<bool>,
    /// The programs it brings: their files in it, by name. Empty where the format does not tell.
    pub programs: BTreeMap<String, String>,
    /// Where it can be installed.
    pub platforms: Platforms,
    /// Which of [`Lock::packages`] it needs.
    pub needs: Vec<Need>,
}

/// An edge between packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// Which of [`Lock::packages`].
    pub package: usize,
    /// It may be missing.
    pub optional: bool,
}

/// Where a package can be installed; an empty list is everywhere, `!` before a name is everywhere but there. Source: npm docs,
/// package.json "os", "cpu", "libc".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Platforms {
    /// Operating systems in the names of Node.js.
    pub os: Vec<String>,
    /// Architectures in the names of Node.js.
    pub cpu: Vec<String>,
    /// C libraries.
    pub libc: Vec<String>,
}

impl Platforms {
    /// Whether the package fits such a machine.
    pub fn fit(&self, os: &str, cpu: &str, libc: &str) -> bool {
        let fits = |list: &[String], name: &str| {
            let denied = list.iter().any(|one| one.strip_prefix('!') == Some(name));
            let named = list.iter().any(|one| one == name || one == "any");
            !denied && (named || list.iter().all(|one| one.starts_with('!')))
        };
        fits(&self.os, os) && fits(&self.cpu, cpu) && fits(&self.libc, libc)
    }
}

impl Lock {
    /// Reads a lock file that kiln can install from. `path` is used in messages only.
    pub fn read(kind: LockKind, path: &str, bytes: &[u8]) -> Result<Self, Error> {
        let lock = Self::read_installable(kind, path, bytes)?;
        // npm itself decides what it does with an entry that has no version; some of its own have none.
        if let Some(entry) = lock.unread.first().filter(|_| kind.manager() != Manager::Npm) {
            let why = format!("names the package `{entry}`, which is no name@version");
            let help = match kind.manager() {
                Manager::Npm => "run `npm install`",
                Manager::Pnpm => "run `pnpm install` with pnpm 8 or newer",
                Manager::Yarn => "run `yarn install`",
                Manager::Bun => "run `bun install`",
            };
            return Err(ErrorKind::Unfit { path: path.to_owned(), why, help }.into());
        }
        Ok(lock)
    }

    fn read_installable(kind: LockKind, path: &str, bytes: &[u8]) -> Result<Self, Error> {
        let unfit = |why: String, help| ErrorKind::Unfit { path: path.to_owned(), why, help };
        match kind {
            LockKind::PackageLock | LockKind::Shrinkwrap => {
                let lock = npm::read(path, bytes)?;
                if let Some(why) = old_and_loose(&lock) {
                    return Err(unfit(
                        why,
                        "run `npm install --package-lock-only` with npm 7 or newer, which writes version 3",
                    )
                    .into());
                }
                Ok(lock)
            }
            LockKind::Pnpm => {
                let lock = pnpm::read(path, bytes)?;
                if lock.version < 6 || lock.asked.is_empty() {
                    let why = "has no importers, so it is too old or empty".to_owned();
                    return Err(unfit(why, "run `pnpm install` with pnpm 8 or newer").into());
                }
                Ok(lock)
            }
            LockKind::Yarn => yarn::read(path, bytes),
            LockKind::Berry => berry::read(path, bytes),
            LockKind::Bun => bun::read(path, bytes),
        }
    }

    /// Reads a lock file of any age. `path` is used in messages only.
    pub fn read_any(format: LockFormat, path: &str, bytes: &[u8]) -> Result<Self, Error> {
        let mut lock = match format {
            LockFormat::Npm => npm::read(path, bytes),
            LockFormat::Pnpm => pnpm::read(path, bytes),
            LockFormat::Yarn if berry::is_berry(bytes) => berry::read(path, bytes),
            LockFormat::Yarn => yarn::read(path, bytes),
            LockFormat::Bun => bun::read(path, bytes),
        }?;
        lock.name_strangers();
        Ok(lock)
    }

    /// What has no name that a registry takes is none of its packages, however its place is read by a package manager.
    fn name_strangers(&mut self) {
        let strange = |package: &&LockedPackage| package.elsewhere.is_none() && !is_npm_name(&package.name);
        let strangers = self.packages.iter().filter(strange).map(|package| package.name.clone());
        self.unread.extend(strangers);
        self.unread.dedup();
    }

    /// Packages whose content is not pinned by a hash, as `name@version`, but for those that a machine with such a CPU (in the names of
    /// Node.js) does not get.
    pub fn without_integrity(&self, cpu: &str) -> Vec<String> {
        let left_out = self.left_out("linux", cpu, "glibc");
        let installed = self.packages.iter().zip(left_out).filter(|(_, left_out)| !left_out);
        let bare = installed.map(|(package, _)| package).filter(|package| !package.has_integrity);
        bare.map(|package| format!("{}@{}", package.name, package.version)).collect()
    }
}

/// Why a lock file of npm's version 1 does not say enough to be installed from; `None` where it does, and for newer ones. What npm
/// adds to it from the registry changes no package that has an address and a hash.
fn old_and_loose(lock: &Lock) -> Option<String> {
    if lock.version >= 2 {
        return None;
    }
    let pins = format!("has lockfileVersion {}, which pins too little", lock.version);
    if lock.version == 0 || lock.packages.is_empty() {
        return Some(pins);
    }
    let mut names: Vec<&str> = lock.loose.iter().take(3).map(String::as_str).collect();
    if lock.loose.len() > names.len() {
        names.push("…");
    }
    (!names.is_empty()).then(|| format!("{pins}: no address or no hash for {}", names.join(", ")))
}

/// What the package `at` needs of those it sees; what is optional is listed among the others, too.
fn needs<'a>(
    at: usize,
    firm: impl Iterator<Item = &'a str>,
    optional: impl Iterator<Item = &'a str>,
    seen: &places::Seen<'_>,
) -> Vec<Need> {
    let optional: BTreeSet<usize> = optional.filter_map(|name| seen.find(name)).collect();
    let firm = firm.filter_map(|name| seen.find(name)).filter(|to| !optional.contains(to));
    let firm = firm.map(|package| Need { package, optional: false });
    let needs = firm.chain(optional.iter().map(|package| Need { package: *package, optional: true }));
    needs.filter(|need| need.package != at).collect()
}

/// What a project asks for, of what it sees.
fn direct(
    dependencies: &BTreeMap<String, String>,
    dev: &BTreeMap<String, String>,
    optional: &BTreeMap<String, String>,
    seen: &places::Seen<'_>,
) -> Vec<Direct> {
    let kinds = [(dependencies, false, false), (dev, true, false), (optional, false, true)];
    let of = |(names, dev, optional): (&BTreeMap<String, String>, bool, bool)| -> Vec<Direct> {
        let found = names.keys().filter_map(|name| seen.find(name));
        found.map(|package| Direct { package, dev, optional }).collect()
    };
    kinds.into_iter().flat_map(of).collect()
}
