//! Whether a package manager installed what the lock file pins.

use kiln_plan::LockedPlace;
use kiln_rootfs::{Kind, RootPath};

use super::manifest::Manifest;
use super::modules::tree_error;
use crate::Error;
use crate::engine::Left;
use crate::error::ErrorKind;

/// This file, which decides what is refused.
pub(super) const CODE: &str = include_str!("as_locked.rs");

/// Checks that each package lies in its folder, and is the one of the lock file.
pub(super) fn check_installed(left: &Left, locked: &[LockedPlace]) -> Result<(), Error> {
    for place in locked {
        let found = manifest(left, &place.folder)?;
        let is_right = match &found {
            None => place.is_optional,
            Some(Manifest { name, version }) => {
                name.as_ref() == Some(&place.name)
                    && version.as_ref().is_some_and(|version| same_version(version, &place.version))
            }
        };
        if !is_right {
            let locked = format!("{}@{}", place.name, place.version);
            let shown = |found: Manifest| {
                format!("{}@{}", found.name.unwrap_or_default(), found.version.unwrap_or_default())
            };
            let found = found.map(shown);
            return Err(ErrorKind::NotAsLocked { folder: place.folder.clone(), locked, found }.into());
        }
    }
    Ok(())
}

/// What the package in a folder says of itself; `None` where there is none.
fn manifest(left: &Left, folder: &str) -> Result<Option<Manifest>, Error> {
    let path = RootPath::normalise(&format!("app/{folder}/package.json")).map_err(tree_error)?;
    let Some(Kind::File(content)) = left.tree.get(&path).map(|entry| &entry.kind) else { return Ok(None) };
    // What is no manifest is not the package.
    Manifest::read(&path, content).map(Some)
}

/// Old packages write `v1.0.0` and `=1.0.0` for what the registry calls 1.0.0.
fn same_version(written: &str, locked: &str) -> bool {
    let plain = |text: &str| text.trim().trim_start_matches(['v', '=', ' ']).to_owned();
    plain(written) == plain(locked)
}

#[cfg(test)]
mod tests {
    use kiln_rootfs::Tree;

    use super::*;

    fn place(folder: &str, is_optional: bool) -> LockedPlace {
        let (name, version) = ("ms".to_owned(), "2.1.3".to_owned());
        LockedPlace { folder: format!("node_modules/{folder}"), name, version, is_optional }
    }

    #[test]
    fn what_is_not_locked_is_refused() {
        let mut tree = Tree::new();
        for (folder, text) in [
            ("ms", r#"{"name": "ms", "version": "v2.1.3"}"#),
            ("newer", r#"{"name": "ms", "version": "2.1.4"}"#),
            ("other", r#"{"name": "sm", "version": "2.1.3"}"#),
            ("broken", "{"),
        ] {
            let path = format!("app/node_modules/{folder}/package.json");
            tree.insert_file(&path, 0o644, text.as_bytes()).unwrap();
        }
        let left = Left { tree, ..Left::default() };
        check_installed(&left, &[place("ms", false), place("gone", true)]).unwrap();
        for wrong in [
            place("newer", false),
            place("newer", true),
            place("other", false),
            place("broken", false),
            place("gone", false),
        ] {
            let error = check_installed(&left, std::slice::from_ref(&wrong)).unwrap_err();
            assert_eq!(kiln_finding::Diagnose::code(&error), "build.not_as_locked", "{wrong:?}");
        }
    }
}
