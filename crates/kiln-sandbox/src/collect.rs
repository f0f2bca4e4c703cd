use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use kiln_rootfs::{Attrs, Content, Entry, Kind, RootPath, Tree};

use crate::Error;
use crate::error::ErrorKind;

/// How deep folders may lie in each other.
const DEPTH_MAX: usize = 256;
/// How many files and folders one tree may have.
const ENTRIES_MAX: usize = 2_000_000;

/// Takes in a folder as a tree of root's. Content stays on disk. See [`collect_with`].
pub fn collect(folder: &Path) -> Result<Tree, Error> {
    collect_with(folder, &mut |_, _| true)
}

/// Takes in what `keep` says yes to (path, is it a folder); a folder that is not kept is not entered.
///
/// What an overlay notes as removed is left out. Permissions become 0755 for folders and what its owner may execute, 0644 for the rest: they must not depend
/// on the umask of whoever checked the files out. Links are taken as they are, never followed.
pub fn collect_with(folder: &Path, keep: &mut dyn FnMut(&RootPath, bool) -> bool) -> Result<Tree, Error> {
    let mut tree = Tree::new();
    let mut open = vec![(folder.to_owned(), RootPath::ROOT)];
    while let Some((folder, path)) = open.pop() {
        if path.parts().count() > DEPTH_MAX {
            return Err(ErrorKind::Unfit { path: folder, why: "lies deeper than 256 folders" }.into());
        }
        let entries = fs::read_dir(&folder).map_err(Error::io("read the folder", &folder))?;
        for entry in entries {
            let entry = entry.map_err(Error::io("read the folder", &folder))?;
            let on_disk = entry.path();
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                return Err(ErrorKind::Unfit { path: on_disk, why: "has a name that is no UTF-8" }.into());
            };
            let failed = |source| ErrorKind::Tree { path: on_disk.clone(), source };
            let inside = path.join(&name).map_err(failed)?;
            let kind = entry.file_type().map_err(Error::io("look at", &on_disk))?;
            if !keep(&inside, kind.is_dir()) || is_whiteout(&on_disk, kind) {
                continue;
            }
            if tree.len() >= ENTRIES_MAX {
                return Err(ErrorKind::Unfit { path: on_disk, why: "is one file too many: 2,000,000" }.into());
            }
            let taken = take(&on_disk, kind)?;
            if kind.is_dir() {
                open.push((on_disk.clone(), inside.clone()));
            }
            tree.insert(inside, taken).map_err(failed)?;
        }
    }
    Ok(tree)
}

/// A character device 0/0: how an overlay notes that something of a lower folder was removed.
fn is_whiteout(on_disk: &Path, kind: fs::FileType) -> bool {
    kind.is_char_device() && fs::symlink_metadata(on_disk).is_ok_and(|metadata| metadata.rdev() == 0)
}

fn take(on_disk: &PathBuf, kind: fs::FileType) -> Result<Entry, Error> {
    if kind.is_dir() {
        return Ok(Entry { attrs: Attrs::root(0o755), kind: Kind::Dir });
    }
    if kind.is_symlink() {
        let target = fs::read_link(on_disk).map_err(Error::io("read the link", on_disk))?;
        let Some(target) = target.to_str() else {
            return Err(ErrorKind::Unfit { path: on_disk.clone(), why: "points to what is no UTF-8" }.into());
        };
        return Ok(Entry { attrs: Attrs::root(0o777), kind: Kind::Symlink(target.to_owned()) });
    }
    if !kind.is_file() {
        return Err(ErrorKind::Unfit { path: on_disk.clone(), why: "is a socket, pipe or device" }.into());
    }
    let metadata = fs::symlink_metadata(on_disk).map_err(Error::io("look at", on_disk))?;
    let mode = if metadata.permissions().mode() & 0o100 == 0 { 0o644 } else { 0o755 };
    let content = Content::Disk { path: on_disk.as_path().into(), size: metadata.len() };
    Ok(Entry { attrs: Attrs::root(mode), kind: Kind::File(content) })
}
