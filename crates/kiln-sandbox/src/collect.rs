use std::ffi::OsStr;
use std::path::Path;

use kiln_disk::{Dir, Located, Meta};
use kiln_rootfs::{Attrs, Entry, Kind, RootPath, Tree};

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
    let root = Dir::open(folder).map_err(Error::io("read the folder", folder))?;
    collect_in(&root, keep)
}

/// The same of a folder that is open.
pub fn collect_in(root: &Dir, keep: &mut dyn FnMut(&RootPath, bool) -> bool) -> Result<Tree, Error> {
    let mut tree = Tree::new();
    let mut open = vec![RootPath::ROOT];
    while let Some(path) = open.pop() {
        let place = || root.place_of(&path);
        if path.parts().count() > DEPTH_MAX {
            return Err(ErrorKind::Unfit { path: place(), why: "lies deeper than 256 folders" }.into());
        }
        let folder = root.sub(&path).map_err(|source| Error::io("read the folder", &place())(source))?;
        for name in folder.names().map_err(|source| Error::io("read the folder", &place())(source))? {
            let on_disk = folder.place().join(&name);
            let Some(text) = name.to_str() else {
                return Err(ErrorKind::Unfit { path: on_disk, why: "has a name that is no UTF-8" }.into());
            };
            let failed = |source| ErrorKind::Tree { path: on_disk.clone(), source };
            let inside = path.join(text).map_err(failed)?;
            let meta = folder.meta_here(&name).map_err(Error::io("look at", &on_disk))?;
            if !keep(&inside, meta.is_dir()) || meta.is_whiteout() {
                continue;
            }
            if tree.len() >= ENTRIES_MAX {
                return Err(ErrorKind::Unfit { path: on_disk, why: "is one file too many: 2,000,000" }.into());
            }
            let taken = take(root, &folder, &name, &inside, &meta)?;
            tree.insert(inside.clone(), taken).map_err(failed)?;
            if meta.is_dir() {
                open.push(inside);
            }
        }
    }
    Ok(tree)
}

fn take(root: &Dir, folder: &Dir, name: &OsStr, inside: &RootPath, meta: &Meta) -> Result<Entry, Error> {
    let on_disk = || folder.place().join(name);
    if meta.is_dir() {
        return Ok(Entry { attrs: Attrs::root(0o755), kind: Kind::Dir });
    }
    if meta.is_symlink() {
        let target =
            folder.link_here(name).map_err(|source| Error::io("read the link", &on_disk())(source))?;
        let unfit = |_| ErrorKind::Unfit { path: on_disk(), why: "points to what is no UTF-8" };
        let target = target.into_string().map_err(unfit)?;
        return Ok(Entry { attrs: Attrs::root(0o777), kind: Kind::Symlink(target) });
    }
    if !meta.is_file() {
        return Err(ErrorKind::Unfit { path: on_disk(), why: "is a socket, pipe or device" }.into());
    }
    let mode = if meta.mode() & 0o100 == 0 { 0o644 } else { 0o755 };
    let content = Located::content(root, inside.clone(), meta.size());
    Ok(Entry { attrs: Attrs::root(mode), kind: Kind::File(content) })
}
