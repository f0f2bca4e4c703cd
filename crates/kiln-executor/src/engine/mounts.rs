//! What is mounted for a command, as folders of this machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kiln_build::engine::{Depth, JobMount, Layer, MountContent};
use kiln_disk::{Dir, disk_failure};
use kiln_finding::{Class, Failure};
use kiln_rootfs::{Delta, Entry, Kind, RootPath, Tree};
use kiln_sandbox::{Ids, Mount, Placing, write_upper};

use super::layer_store::LayerStore;

/// A bind mount's files, without copying where they lie on disk already.
pub(super) fn files(
    store: &LayerStore<'_>,
    content: &MountContent,
    mount: &JobMount<'_>,
    folder: &Path,
) -> Result<Mount, Failure> {
    let target = mount.target.clone();
    let lower = match content {
        MountContent::Tree(tree, path) => vec![tree_on_disk(store, tree, path, folder)?],
        MountContent::Layers(layers, path) => layers_on_disk(store, layers, path)?,
    };
    match &lower[..] {
        [] => Err(Failure::new(
            "build.mount",
            Class::Config,
            format!("mount at /{target}: what it shows is not there"),
        )),
        [only] if mount.read_only || only.is_file() => {
            Ok(Mount::Bind { source: only.clone(), target, read_only: mount.read_only })
        }
        _ => overlay(store, lower, target, folder),
    }
}

/// Folders, topmost first, with what is written to them going to `folder`.
pub(super) fn overlay(
    store: &LayerStore<'_>,
    lower: Vec<PathBuf>,
    target: RootPath,
    folder: &Path,
) -> Result<Mount, Failure> {
    let (upper, work) = (folder.join("upper"), folder.join("work"));
    for folder in [&upper, &work] {
        kiln_disk::own::folder(folder).map_err(|error| disk_failure("create", folder, &error))?;
        own(folder, store.ids, (0, 0), 0o755)?;
    }
    Ok(Mount::Overlay { lower, upper, work, target })
}

fn tree_on_disk(
    store: &LayerStore<'_>,
    tree: &Tree,
    path: &RootPath,
    folder: &Path,
) -> Result<PathBuf, Failure> {
    let path = tree.resolve(path, true).unwrap_or_else(|| path.clone());
    let fs_folder = folder.join("fs");
    match tree.get(&path) {
        Some(Entry { attrs, kind: kind @ Kind::File(_) }) => {
            let mut one = Tree::new();
            one.insert(RootPath::new("file")?, Entry { attrs: attrs.clone(), kind: kind.clone() })?;
            write_upper(&Delta::placing(one), &fs_folder, store.ids, Placing::Copy)?;
            Ok(fs_folder.join("file"))
        }
        None if !path.is_root() => {
            let what = format!("mount `{path}`: it is not in the build context");
            Err(Failure::new("build.mount", Class::Config, what))
        }
        _ => {
            write_upper(&Delta::placing(subtree(tree, &path)?), &fs_folder, store.ids, Placing::Copy)?;
            Ok(fs_folder)
        }
    }
}

/// What lies below a path, as a tree of its own.
pub(super) fn subtree(tree: &Tree, top: &RootPath) -> Result<Tree, Failure> {
    let mut below = Tree::new();
    for (path, entry) in tree.below(top).filter(|(path, _)| *path != top) {
        let mut entry = entry.clone();
        if let Kind::Hardlink(target) = &entry.kind {
            entry.kind = if target.starts_with(top) {
                Kind::Hardlink(rebased(target, top)?)
            } else {
                tree.get(target).map_or(entry.kind, |file| file.kind.clone())
            };
        }
        below.insert(rebased(path, top)?, entry)?;
    }
    Ok(below)
}

fn rebased(path: &RootPath, top: &RootPath) -> Result<RootPath, Failure> {
    Ok(RootPath::normalise(path.as_str()[top.as_str().len()..].trim_start_matches('/'))?)
}

pub(super) fn merged(store: &LayerStore<'_>, layers: &[Layer]) -> Result<Arc<Tree>, Failure> {
    let mut tree = Tree::new();
    for layer in layers {
        store.read_layer(layer, Depth::Content)?.apply(&mut tree)?;
    }
    Ok(Arc::new(tree))
}

/// The folders of all layers that hold something of a path, topmost first, down to one that hides what is below.
fn layers_on_disk(
    store: &LayerStore<'_>,
    layers: &[Layer],
    path: &RootPath,
) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for layer in layers.iter().rev() {
        let place = store.folder_of(layer)?;
        let folder = Dir::open(&place).map_err(|error| disk_failure("read", &place, &error))?;
        match folder.meta(path) {
            Ok(entry) if entry.is_dir() => found.push(folder.place_of(path)),
            Ok(entry) if entry.is_file() && found.is_empty() => return Ok(vec![folder.place_of(path)]),
            Ok(_) => break,
            Err(_) => {}
        }
        if kiln_sandbox::hides(&folder, path) {
            break;
        }
    }
    Ok(found)
}

/// Gives a file or folder to a user inside.
pub(super) fn own(path: &Path, ids: Ids, (uid, gid): (u32, u32), mode: u32) -> Result<(), Failure> {
    let set = || {
        kiln_sandbox::own(path, ids, uid, gid)?;
        kiln_disk::own::set_mode(path, mode)
    };
    set().map_err(|error| disk_failure("set the owner of", path, &error))
}
