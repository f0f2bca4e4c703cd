//! What must hold of everything that kiln keeps, whatever happened before.

use std::fs;
use std::path::{Path, PathBuf};

use kiln_store::{Condition, Layout};

use crate::harness::World;

/// Every blob is what its name says, the index can be read, every name leads to a whole image.
#[track_caller]
pub(crate) fn is_sound(store: &Path) {
    if !store.join("index.json").exists() {
        return;
    }
    let layout = Layout::open(store).unwrap();
    for blob in layout.blobs_here().unwrap() {
        assert_eq!(layout.look_at(&blob.digest).unwrap(), Condition::Right(blob.size), "{}", blob.digest);
    }
    for entry in layout.entries().unwrap() {
        let (_, missing) = layout.needs(&entry.manifest).unwrap();
        assert!(missing.is_empty(), "{:?} lacks {missing:?}", entry.name);
    }
}

/// Nothing that was in the making is left in the folders of `world`.
#[track_caller]
pub(crate) fn is_swept(world: &World) {
    let mut left = Vec::new();
    for folder in [world.data(""), world.path("cache"), world.path("out")] {
        find(&folder, &mut left);
    }
    assert!(left.is_empty(), "{left:?} was left");
}

fn find(folder: &Path, left: &mut Vec<PathBuf>) {
    let is_staging = folder.file_name().is_some_and(|name| name == "ingest" || name == "incoming");
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        // What a download goes on from is there on purpose.
        if path.ends_with("downloads/partial") {
            continue;
        }
        if is_staging || path.extension().is_some_and(|end| end == "tmp") {
            left.push(path);
        } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            find(&path, left);
        }
    }
}

/// All files below `folder`.
pub(crate) fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            files(&entry.path(), found);
        } else {
            found.push(entry.path());
        }
    }
}
