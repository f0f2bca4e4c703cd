//! What a build did to the packages that were installed before it: patched them, generated code among them, took files away.

use kiln_plan::is_module_file_shipped;
use kiln_rootfs::{Kind, RootPath};

use crate::Error;
use crate::engine::{Left, Stack};
use crate::error::ErrorKind;

/// This file, which decides what of it is shipped.
pub(super) const CODE: &str = include_str!("modules.rs");
/// The folder that package managers fill.
pub(super) const MODULES: &str = "node_modules";
/// What tools keep for themselves among the packages, by the first name there.
const KEPT_FOR_TOOLS: [&str; 8] = [
    ".package-lock.json",
    ".pnpm-debug.log",
    ".tmp",
    ".vite",
    ".vite-temp",
    ".vitest",
    ".yarn-state.yml",
    ".nuxt",
];

/// The packages of production, and those that the build saw.
pub(super) struct Modules<'a> {
    production: &'a Stack,
    installed: &'a Stack,
}

impl<'a> Modules<'a> {
    /// `None` where nothing was built.
    pub(super) fn beside(left: &'a Left) -> Option<Self> {
        let [production, installed] = left.beside.as_slice() else { return None };
        Some(Self { production, installed })
    }

    /// Whether a file that the build wrote at `path` reaches the image; `below` follows the `node_modules` that a package manager
    /// filled. What it wrote into packages for development does not. The error says that production has the package elsewhere.
    pub(super) fn keeps(&self, path: &RootPath, below: &str) -> Result<bool, Error> {
        let first = below.split('/').next().unwrap_or_default();
        if KEPT_FOR_TOOLS.contains(&first) || !is_kept_with_its_folders(below, false) {
            return Ok(false);
        }
        let owner = owner(path)?;
        if self.production.get(&owner).is_some() || self.installed.get(&owner).is_none() {
            return Ok(true);
        }
        let name = package_name(&owner);
        let is_elsewhere = |other: &RootPath| package_name(other) == name && other.as_str().contains(MODULES);
        if !name.starts_with('.') && self.production.has(is_elsewhere) {
            return Err(ErrorKind::ModuleElsewhere { folder: owner.to_string() }.into());
        }
        Ok(false)
    }

    /// Whether something that the build took away would else be in the image.
    pub(super) fn has(&self, path: &RootPath) -> bool {
        self.production.get(path).is_some()
    }

    /// Whether a folder that the build made anew is one in the image.
    pub(super) fn has_folder(&self, path: &RootPath) -> bool {
        self.production.get(path).is_some_and(|entry| matches!(entry.kind, Kind::Dir))
    }
}

/// Whether neither what lies below a `node_modules` nor a folder around it is a leftover.
pub(super) fn is_kept_with_its_folders(below: &str, is_dir: bool) -> bool {
    let folders = below.match_indices('/').map(|(at, _)| &below[..at]);
    is_module_file_shipped(below, is_dir)
        && folders.into_iter().all(|folder| is_module_file_shipped(folder, true))
}

/// The folder of the package that a file belongs to, or what lies at its place in `node_modules`.
fn owner(path: &RootPath) -> Result<RootPath, Error> {
    let parts: Vec<&str> = path.parts().collect();
    let at = parts.iter().rposition(|part| *part == MODULES).map_or(0, |at| at + 1);
    let is_scoped = parts.get(at).is_some_and(|part| part.starts_with('@'));
    let end = (at + 1 + usize::from(is_scoped)).min(parts.len());
    RootPath::new(&parts[..end].join("/")).map_err(tree_error)
}

/// `name` or `@scope/name` of what lies in a `node_modules`.
fn package_name(owner: &RootPath) -> &str {
    let text = owner.as_str();
    text.rfind("node_modules/").map_or(text, |at| &text[at + "node_modules/".len()..])
}

pub(super) fn tree_error(source: kiln_rootfs::Error) -> Error {
    ErrorKind::Tree { source }.into()
}
