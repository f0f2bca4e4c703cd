//! Layers as folders that an overlay takes, both ways.
//!
//! A folder under [`Ids::Many`] has real owners. Under [`Ids::One`] everything belongs to whoever runs kiln, and
//! owners are noted in an extended attribute, which an overlay carries along when a command changes a file.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use kiln_rootfs::{Attrs, Content, Delta, Entry, Kind, RootPath};
use rustix::fs::XattrFlags;

use crate::error::ErrorKind;
use crate::{Error, Ids, User, capability};

/// The extended attribute that notes the owner of a file as `uid:gid`, where the file system cannot.
pub const OWNER: &str = "user.kiln.owner";
/// Prefix of extended attributes that only root may set, as they are noted by others.
const NOTED: &str = "user.kiln.note.";
/// How an overlay in a user namespace marks a folder that hides what lies below (overlayfs.rst, "userxattr").
const OPAQUE: &str = "user.overlay.opaque";
/// How deep folders may lie in each other.
const DEPTH_MAX: usize = 256;
/// How many files and folders one layer may have.
const ENTRIES_MAX: usize = 4_000_000;

/// What becomes of content that lies on disk already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placing {
    /// It stays where it is and is copied.
    Copy,
    /// It is moved; it must lie on the same file system.
    Move,
}

/// Writes a layer into `folder`, which must be empty or missing.
///
/// Nothing can escape: the folder starts empty and a tree has no entry below a link.
pub fn write_upper(delta: &Delta, folder: &Path, ids: Ids, placing: Placing) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
    set_attrs(folder, &Attrs::root(0o755), ids, false)?;
    for (path, entry) in delta.tree.iter() {
        let target = folder.join(path.as_str());
        let written = match &entry.kind {
            Kind::Dir if path.is_root() => Ok(()),
            Kind::Dir => fs::create_dir(&target),
            Kind::Symlink(link) => symlink(link, &target),
            Kind::File(content) => place(content, &target, placing),
            Kind::Hardlink(_) => continue,
        };
        written.map_err(Error::io("write", &target))?;
        let is_link = matches!(entry.kind, Kind::Symlink(_));
        if !matches!(entry.kind, Kind::Dir) {
            set_attrs(&target, &entry.attrs, ids, is_link)?;
        }
    }
    // The other names of a file come once all files are there, permissions of folders once all they hold is.
    for (path, entry) in delta.tree.iter() {
        if let Kind::Hardlink(other) = &entry.kind {
            let target = folder.join(path.as_str());
            fs::hard_link(folder.join(other.as_str()), &target).map_err(Error::io("link", &target))?;
        }
    }
    for path in &delta.removed {
        let target = folder.join(path.as_str());
        match delta.tree.get(path).map(|entry| &entry.kind) {
            None => {}
            // What takes the place of something removed hides it; a folder must be told to.
            Some(Kind::Dir) => {
                set_xattr(&target, OPAQUE, b"y").map_err(Error::io("mark", &target))?;
                continue;
            }
            Some(_) => continue,
        }
        make_parents(&target, ids)?;
        whiteout(&target).map_err(Error::io("note the removal of", &target))?;
    }
    for path in &delta.opaque {
        let target = folder.join(path.as_str());
        fs::create_dir_all(&target).map_err(Error::io("create the folder", &target))?;
        set_xattr(&target, OPAQUE, b"y").map_err(Error::io("mark", &target))?;
    }
    let dirs: Vec<_> = delta.tree.iter().filter(|(_, entry)| matches!(entry.kind, Kind::Dir)).collect();
    for (path, entry) in dirs.into_iter().rev() {
        set_attrs(&folder.join(path.as_str()), &entry.attrs, ids, false)?;
    }
    Ok(())
}

fn place(content: &Content, target: &Path, placing: Placing) -> io::Result<()> {
    match content {
        Content::Disk { path, .. } if placing == Placing::Move => fs::rename(path, target),
        // A copy may share the bytes, where the file system can.
        Content::Disk { path, .. } => fs::copy(path, target).map(drop),
        Content::Bytes(bytes) => fs::write(target, bytes),
    }
}

fn make_parents(target: &Path, ids: Ids) -> Result<(), Error> {
    let Some(parent) = target.parent() else { return Ok(()) };
    if parent.is_dir() {
        return Ok(());
    }
    make_parents(parent, ids)?;
    fs::create_dir(parent).map_err(Error::io("create the folder", parent))?;
    set_attrs(parent, &Attrs::root(0o755), ids, false)
}

fn whiteout(target: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    // A character device 0/0 may be made by anyone since Linux 5.8.
    Ok(mknodat(CWD, target, FileType::CharacterDevice, Mode::empty(), 0)?)
}

fn set_xattr(path: &Path, name: &str, value: &[u8]) -> io::Result<()> {
    Ok(rustix::fs::lsetxattr(path, name, value, XattrFlags::empty())?)
}

/// Gives a file to a user and a group inside, where those are real. A link is not followed.
pub fn own(path: &Path, ids: Ids, uid: u32, gid: u32) -> io::Result<()> {
    let Ids::Many { first, count } = ids else { return Ok(()) };
    if uid.max(gid) >= count {
        return Err(io::Error::other(format!("its owner {uid}:{gid} is not among the {count} ids here")));
    }
    std::os::unix::fs::lchown(path, Some(first + uid), Some(first + gid))
}

fn set_attrs(path: &Path, attrs: &Attrs, ids: Ids, is_link: bool) -> Result<(), Error> {
    let failed = Error::io("set the attributes of", path);
    let set = || -> io::Result<()> {
        match ids {
            Ids::Many { .. } => own(path, ids, attrs.uid, attrs.gid)?,
            // Links take no attributes; a link's owner matters to nobody.
            Ids::One if is_link => {}
            Ids::One => set_xattr(path, OWNER, format!("{}:{}", attrs.uid, attrs.gid).as_bytes())?,
        }
        if is_link {
            return Ok(());
        }
        for (name, value) in &attrs.xattrs {
            match ids {
                Ids::Many { first, .. } if name == capability::NAME => {
                    set_xattr(path, name, &capability::for_namespace(value, first))?;
                }
                Ids::One if !name.starts_with("user.") => {
                    set_xattr(path, &format!("{NOTED}{name}"), value)?;
                }
                _ => set_xattr(path, name, value)?,
            }
        }
        fs::set_permissions(path, Permissions::from_mode(attrs.mode))
    };
    set().map_err(failed)
}

/// Takes in what a job left in an upper folder. Content stays on disk. `user` owns what has no other owner: it is
/// who the job ran as.
///
/// Sockets are left out. Whoever runs kiln is let into files and folders that the job locked.
pub fn read_upper(folder: &Path, ids: Ids, user: &User) -> Result<Delta, Error> {
    let mut reader = Reader { ids, user, delta: Delta::default(), names: BTreeMap::new() };
    let mut open = vec![(folder.to_owned(), RootPath::ROOT)];
    while let Some((folder, path)) = open.pop() {
        if path.parts().count() > DEPTH_MAX {
            return Err(ErrorKind::Unfit { path: folder, why: "lies deeper than 256 folders" }.into());
        }
        for entry in fs::read_dir(&folder).map_err(Error::io("read the folder", &folder))? {
            let on_disk = entry.map_err(Error::io("read the folder", &folder))?.path();
            let Some(name) = on_disk.file_name().and_then(|name| name.to_str()) else {
                return Err(ErrorKind::Unfit { path: on_disk, why: "has a name that is no UTF-8" }.into());
            };
            let inside =
                path.join(name).map_err(|source| ErrorKind::Tree { path: on_disk.clone(), source })?;
            if reader.take(&on_disk, &inside)? {
                open.push((on_disk, inside));
            }
        }
    }
    Ok(reader.finish())
}

struct Reader<'a> {
    ids: Ids,
    user: &'a User,
    delta: Delta,
    /// Every name of each file that has several, by its number.
    names: BTreeMap<u64, Vec<RootPath>>,
}

impl Reader<'_> {
    /// Takes in one entry; says whether it is a folder to look into.
    fn take(&mut self, on_disk: &Path, inside: &RootPath) -> Result<bool, Error> {
        let metadata = fs::symlink_metadata(on_disk).map_err(Error::io("look at", on_disk))?;
        let kind = metadata.file_type();
        if kind.is_char_device() && metadata.rdev() == 0 {
            self.delta.removed.insert(inside.clone());
            return Ok(false);
        }
        if kind.is_socket() {
            return Ok(false);
        }
        if self.delta.tree.len() >= ENTRIES_MAX {
            return Err(
                ErrorKind::Unfit { path: on_disk.into(), why: "is one file too many: 4,000,000" }.into()
            );
        }
        self.let_in(on_disk, &metadata)?;
        let mut attrs = self.attrs(on_disk, &metadata)?;
        let kind = if kind.is_dir() {
            if attrs.xattrs.remove(OPAQUE).is_some() {
                self.delta.opaque.insert(inside.clone());
            }
            Kind::Dir
        } else if kind.is_symlink() {
            let target = fs::read_link(on_disk).map_err(Error::io("read the link", on_disk))?;
            let Some(target) = target.to_str() else {
                return Err(
                    ErrorKind::Unfit { path: on_disk.into(), why: "points to what is no UTF-8" }.into()
                );
            };
            Kind::Symlink(target.to_owned())
        } else if kind.is_file() {
            if metadata.nlink() > 1 {
                self.names.entry(metadata.ino()).or_default().push(inside.clone());
            }
            Kind::File(Content::Disk { path: on_disk.into(), size: metadata.len() })
        } else {
            return Err(ErrorKind::Unfit { path: on_disk.into(), why: "is a pipe or a device" }.into());
        };
        let is_dir = matches!(kind, Kind::Dir);
        let placed = self.delta.tree.insert(inside.clone(), Entry { attrs, kind });
        placed.map_err(|source| ErrorKind::Tree { path: on_disk.to_owned(), source })?;
        Ok(is_dir)
    }

    /// Whoever runs kiln owns everything, but a job may have taken away its own permissions.
    fn let_in(&self, on_disk: &Path, metadata: &fs::Metadata) -> Result<(), Error> {
        let (mode, kind) = (metadata.permissions().mode(), metadata.file_type());
        let needed = if kind.is_dir() { 0o700 } else { 0o400 };
        if self.ids != Ids::One || kind.is_symlink() || mode & needed == needed {
            return Ok(());
        }
        let opened = fs::set_permissions(on_disk, Permissions::from_mode(mode & 0o7777 | needed));
        opened.map_err(Error::io("open up", on_disk))
    }

    fn attrs(&self, on_disk: &Path, metadata: &fs::Metadata) -> Result<Attrs, Error> {
        let is_link = metadata.file_type().is_symlink();
        let mode = if is_link { 0o777 } else { metadata.permissions().mode() & 0o7777 };
        let mut attrs = Attrs { mode, uid: self.user.uid, gid: self.user.gid, ..Attrs::default() };
        if let Ids::Many { first, .. } = self.ids {
            (attrs.uid, attrs.gid) =
                (metadata.uid().saturating_sub(first), metadata.gid().saturating_sub(first));
        }
        if is_link {
            return Ok(attrs);
        }
        for (name, value) in read_xattrs(on_disk).map_err(Error::io("read the attributes of", on_disk))? {
            if name == OWNER {
                if let Some(owner) = parse_owner(&value) {
                    (attrs.uid, attrs.gid) = owner;
                }
            } else if let Some(name) = name.strip_prefix(NOTED) {
                attrs.xattrs.insert(name.to_owned(), value);
            } else if name == capability::NAME {
                attrs.xattrs.insert(name, capability::for_layer(&value));
            } else if name.starts_with("user.") && !name.starts_with("user.overlay.") || name == OPAQUE {
                attrs.xattrs.insert(name, value);
            }
        }
        Ok(attrs)
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

pub(crate) fn parse_owner(value: &[u8]) -> Option<(u32, u32)> {
    let (uid, gid) = std::str::from_utf8(value).ok()?.split_once(':')?;
    Some((uid.parse().ok()?, gid.parse().ok()?))
}

fn read_xattrs(path: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut names = vec![0; 4 << 10];
    let length = loop {
        match rustix::fs::llistxattr(path, &mut names) {
            Ok(length) => break length,
            Err(rustix::io::Errno::RANGE) if names.len() < 64 << 10 => names.resize(64 << 10, 0),
            Err(rustix::io::Errno::NOTSUP) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        }
    };
    let mut found = Vec::new();
    for name in names[..length].split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
        let name = String::from_utf8_lossy(name).into_owned();
        let mut value = vec![0; 64 << 10];
        let length = rustix::fs::lgetxattr(path, name.as_str(), &mut value)?;
        value.truncate(length);
        found.push((name, value));
    }
    Ok(found)
}

/// Removes what may have been left of mount points: an empty file or folder at `path`, and empty folders above it, as
/// long as `is_ours` says that nobody but the sandbox can have made them.
pub fn remove_stubs(folder: &Path, path: &RootPath, is_ours: &dyn Fn(&RootPath) -> bool) {
    let mut at = Some(path.clone());
    while let Some(path) = at.filter(|path| !path.is_root() && is_ours(path)) {
        let on_disk: PathBuf = folder.join(path.as_str());
        let gone = match fs::symlink_metadata(&on_disk) {
            Ok(found) if found.is_dir() => fs::remove_dir(&on_disk).is_ok(),
            Ok(found) if found.is_file() && found.len() == 0 => fs::remove_file(&on_disk).is_ok(),
            Ok(_) => false,
            Err(_) => true,
        };
        at = if gone { path.parent() } else { None };
    }
}

/// Whether a folder of an upper hides what lies below it.
pub fn is_opaque(folder: &Path) -> bool {
    let mut value = [0; 4];
    rustix::fs::lgetxattr(folder, OPAQUE, &mut value).is_ok_and(|length| value[..length] == *b"y")
}
