//! Whether a lock file was written for what a `package.json` asks for, as its package manager would say.

use std::collections::BTreeMap;

use kiln_pkg::version::{Range, SemVer};

use super::Lock;
use crate::{LockKind, PackageJson};

impl Lock {
    /// Where the project in `folder` asks for something that a package manager would not install from this file: one line each.
    ///
    /// npm takes what is locked wherever it fits the range, and pays no heed to more; pnpm compares the texts, after its overrides, and yarn 2
    /// and newer do.
    pub fn out_of_step(&self, kind: LockKind, folder: &str, package: &PackageJson) -> Vec<String> {
        if self.asked.is_empty() {
            return Vec::new();
        }
        let nothing = BTreeMap::new();
        let locked = self.asked.get(folder).unwrap_or(&nothing);
        let wanted: BTreeMap<&String, &String> = package.asked().collect();
        let (is_pnpm, is_berry) = (kind == LockKind::Pnpm, kind == LockKind::Berry);
        let plain = |range: &str| range.strip_prefix("npm:").filter(|_| is_berry).unwrap_or(range).to_owned();
        let fits = |name: &String, range: &str| {
            if is_pnpm {
                self.is_overridden(name)
            } else if is_berry {
                // It takes nothing that is asked for in other words.
                false
            } else {
                self.holds(folder, name, range) || overrides(package, name)
            }
        };
        let mut lines = Vec::new();
        for (name, range) in &wanted {
            match locked.get(*name) {
                None => lines.push(format!("{name} {range} is not in the lock file")),
                Some(old) if plain(old) != plain(range) && !fits(name, range) => {
                    lines.push(format!("{name} is {range} here, {old} in the lock file"));
                }
                Some(_) => {}
            }
        }
        let is_peer =
            |name: &str| package.peer_dependencies.as_ref().is_some_and(|peers| peers.get(name).is_some());
        let is_gone = |name: &&String| !wanted.contains_key(name) && !is_peer(name);
        let gone = locked.keys().filter(|_| is_pnpm).filter(is_gone);
        lines.extend(gone.map(|name| format!("{name} is in the lock file only")));
        lines
    }

    /// Whether what is locked for a project under this name may be in the range: of links, aliases and tags nothing is known here, and
    /// npm itself has the last word.
    fn holds(&self, folder: &str, name: &str, range: &str) -> bool {
        let Some(range) = Range::parse(range) else { return true };
        let direct = self.direct.get(folder).into_iter().flatten();
        let versions: Vec<SemVer> = direct
            .filter_map(|direct| self.packages.get(direct.package))
            .filter(|package| package.name == name && package.elsewhere.is_none())
            .filter_map(|package| SemVer::parse(&package.version))
            .collect();
        versions.is_empty() || versions.iter().any(|version| range.contains(version))
    }

    /// Whether pnpm takes something else in place of a package that a project asks for.
    fn is_overridden(&self, name: &str) -> bool {
        self.overrides.iter().any(|selector| {
            selector.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('@'))
        })
    }
}

/// Whether npm takes something else in place of a package that the project asks for.
fn overrides(package: &PackageJson, name: &str) -> bool {
    package.overrides.as_ref().is_some_and(|overrides| overrides.get(name).is_some())
}
