use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use kiln_disk::{Dir, Located, Meta};
use kiln_rootfs::{Delta, Entry, Kind, RootPath};

use super::{OPAQUE, attrs};
use crate::error::ErrorKind;
use crate::{Error, Ids, User};

/// How deep folders may lie in each other.
const DEPTH_MAX: usize = 256;
/// How many files and folders one layer may have.
const ENTRIES_MAX: usize = 4_000_000;

/// Takes in what a job left in an upper folder. Content stays on disk. `user` owns what has no other owner: it is
/// who the job ran as.
///
/// Sockets are left out. Whoever runs kiln is let into files and folders that the job locked.
pub fn read_upper(folder: &Path, ids: Ids, user: &User) -> Result<Delta, Error> {
    let root = Dir::open(folder).map_err(Error::io("read the folder", folder))?;
    let mut reader = Reader { root: &root, ids, user, delta: Delta::default(), names: BTreeMap::new() };
    if super::is_opaque(&root, &RootPath::ROOT) {
        reader.delta.opaque.insert(RootPath::ROOT);
    }
    let mut open = vec![RootPath::ROOT];
    while let Some(path) = open.pop() {
        let place = || root.place_of(&path);
        let inside = |path: &RootPath| PathBuf::from(format!("/{path}"));
        if path.parts().count() > DEPTH_MAX {
            return Err(ErrorKind::Unfit { path: inside(&path), why: "lies deeper than 256 folders" }.into());
        }
        let folder = root.sub(&path).map_err(|source| Error::io("read the folder", &place())(source))?;
        for name in folder.names().map_err(|source| Error::io("read the folder", &place())(source))? {
            let Some(text) = name.to_str() else {
                let path = inside(&path).join(&name);
                return Err(ErrorKind::Unfit { path, why: "has a name that is no UTF-8" }.into());
            };
            let path = path.join(text).map_err(|source| ErrorKind::Tree { path: place(), source })?;
            if reader.take(&folder, &name, &path)? {
                open.push(path);
            }
        }
    }
    Ok(reader.finish())
}

struct Reader<'a> {
    root: &'a Dir,
    ids: Ids,
    user: &'a User,
    delta: Delta,
    /// Every name of each file that has several, by its number.
    names: BTreeMap<u64, Vec<RootPath>>,
}

impl Reader<'_> {
    /// Takes in one entry; says whether it is a folder to look into.
    fn take(&mut self, folder: &Dir, name: &OsStr, inside: &RootPath) -> Result<bool, Error> {
        let place = || folder.place().join(name);
        let unfit = |why| ErrorKind::Unfit { path: PathBuf::from(format!("/{inside}")), why };
        let meta = folder.meta_here(name).map_err(|source| Error::io("look at", &place())(source))?;
        if meta.is_whiteout() {
            self.delta.removed.insert(inside.clone());
            return Ok(false);
        }
        if meta.is_socket() {
            return Ok(false);
        }
        if self.delta.tree.len() >= ENTRIES_MAX {
            return Err(unfit("is one file too many: 4,000,000").into());
        }
        self.let_in(folder, name, &meta).map_err(|source| Error::io("open up", &place())(source))?;
        let attrs = attrs::get(folder, name, &meta, self.ids, self.user);
        let mut attrs = attrs.map_err(|source| Error::io("read the attributes of", &place())(source))?;
        let kind = if meta.is_dir() {
            if attrs.xattrs.remove(OPAQUE).is_some() {
                self.delta.opaque.insert(inside.clone());
            }
            Kind::Dir
        } else if meta.is_symlink() {
            Kind::Symlink(link(folder, name)?)
        } else if meta.is_file() {
            if meta.is_shared() {
                self.names.entry(meta.inode()).or_default().push(inside.clone());
            }
            Kind::File(Located::content(self.root, inside.clone(), meta.size()))
        } else {
            return Err(unfit("is a pipe or a device").into());
        };
        let placed = self.delta.tree.insert(inside.clone(), Entry { attrs, kind });
        placed.map_err(|source| ErrorKind::Tree { path: place(), source })?;
        Ok(meta.is_dir())
    }

    /// Whoever runs kiln owns everything, but a job may have taken away its own permissions.
    fn let_in(&self, folder: &Dir, name: &OsStr, meta: &Meta) -> io::Result<()> {
        let needed = if meta.is_dir() { 0o700 } else { 0o400 };
        if self.ids != Ids::One || meta.is_symlink() || meta.mode() & needed == needed {
            return Ok(());
        }
        folder.set_mode_here(name, meta.mode() | needed)
    }

    /// Gives files with several names one that is the file; the first in path order, so that no order of reading shows.
    fn finish(mut self) -> Delta {
        for names in self.names.into_values() {
            let Some(first) = names.iter().min().cloned() else { continue };
            for name in names.iter().filter(|name| **name != first) {
                if let Some(entry) = self.delta.tree.get_mut(name) {
                    entry.kind = Kind::Hardlink(first.clone());
                }
            }
        }
        self.delta
    }
}

fn link(folder: &Dir, name: &OsStr) -> Result<String, Error> {
    let place = folder.place().join(name);
    let target = folder.link_here(name).map_err(Error::io("read the link", &place))?;
    let unfit = ErrorKind::Unfit { path: place, why: "points to what is no UTF-8" };
    target.into_string().map_err(|_| unfit.into())
}
