use std::collections::{BTreeMap, BTreeSet};

use kiln_dockerfile::Ignore;
use kiln_node::{Lock, LockKind, Manager, PackageJson};

use kiln_node::{Native, native};

/// What lies around a Dockerfile: the build context, as plain data. Rules that need it are silent without it.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// `package.json` of the root.
    pub package: Option<PackageJson>,
    /// The lock files of the root, by kind.
    pub lock_kinds: Vec<LockKind>,
    /// What the lock file pins, where it could be read.
    pub lock: Option<Lock>,
    /// `.dockerignore`; `None` where there is none.
    pub ignore: Option<Ignore>,
    /// Files of the context, relative and with `/`; `node_modules` and `.git` are listed as folders only.
    pub files: BTreeSet<String>,
    /// All files are listed, so what is not listed is not there.
    pub is_complete: bool,
    /// The folders of the workspace's packages.
    pub workspaces: Vec<String>,
    /// Texts of source files that may be the app's entry, by path.
    pub sources: BTreeMap<String, String>,
    /// `package.json` says which packages may run scripts when they are installed.
    pub allows_scripts: bool,
}

impl Context {
    /// Whether a path is a file or a folder of the context, or may be: of folders that are only listed (`node_modules`, `.git`)
    /// it is not known what lies in them.
    pub fn has(&self, path: &str) -> bool {
        let path = path.trim_start_matches("./").trim_matches('/');
        let below = format!("{path}/");
        let mut above = path.match_indices('/').filter_map(|(end, _)| path.get(..end));
        path.is_empty()
            || path == "."
            || self.files.contains(path)
            || above.any(|folder| self.files.contains(folder))
            || self.files.range(below.clone()..).next().is_some_and(|next| next.starts_with(&below))
    }

    /// Whether the builder never sees a path. A folder that is left out is seen as far as something in it is taken in again.
    pub fn is_ignored(&self, path: &str) -> bool {
        let Some(ignore) = &self.ignore else { return false };
        let path = path.trim_start_matches("./").trim_matches('/');
        if !ignore.is_ignored(path) {
            return false;
        }
        let below = format!("{path}/");
        let mut inside = self.files.range(below.clone()..).take_while(|file| file.starts_with(&below));
        !(ignore.may_descend(path) && inside.any(|file| !ignore.is_ignored(file)))
    }

    /// The package manager that the project is for: what `packageManager` says, or the lock file.
    pub fn manager(&self) -> Option<Manager> {
        let pinned = self.package.as_ref().and_then(|package| package.package_manager.as_deref());
        let pinned = pinned.and_then(|field| match field.split('@').next()? {
            "npm" => Some(Manager::Npm),
            "pnpm" => Some(Manager::Pnpm),
            "yarn" => Some(Manager::Yarn),
            _ => None,
        });
        pinned.or_else(|| match self.lock_kinds.as_slice() {
            [kind] => Some(kind.manager()),
            _ => None,
        })
    }

    /// Whether there is a lock file of a package manager.
    pub fn has_lock(&self, manager: Manager) -> bool {
        self.lock_kinds.iter().any(|kind| kind.manager() == manager)
    }

    /// Packages for production with native code: name, version, and what is known of them.
    pub fn natives(&self) -> Vec<(&str, &str, &'static Native)> {
        let Some(lock) = &self.lock else { return Vec::new() };
        let shipped = lock.packages.iter().filter(|package| package.is_dev != Some(true));
        let mut natives: Vec<_> = shipped
            .filter_map(|package| {
                Some((package.name.as_str(), package.version.as_str(), native(&package.name)?))
            })
            .filter(|(_, _, native)| !native.optional)
            .collect();
        natives.sort_unstable_by_key(|(name, version, _)| (*name, *version));
        natives.dedup_by_key(|(name, _, _)| *name);
        natives
    }

    /// A script of `package.json`.
    pub fn script(&self, name: &str) -> Option<&str> {
        self.package.as_ref()?.scripts.get(name).map(String::as_str)
    }
}
