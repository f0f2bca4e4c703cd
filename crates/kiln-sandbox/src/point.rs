//! Places to mount at. What lies there may be changed while the sandbox is made: a cache is shared with commands that run already.
//! So each part of the way is opened from the one before, and no link is gone through.

use std::fs::{File, Permissions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use kiln_disk::{Dir, Writer};
use kiln_rootfs::RootPath;
use rustix::fs::{Mode, OFlags, openat};

use crate::setup::{SetupError, step};

/// A name in a folder that is held open.
pub(crate) struct Point {
    folder: Dir,
    name: String,
}

impl Point {
    /// The place `target` below `root`; what is missing is made.
    pub(crate) fn make(root: &Path, target: &str, is_dir: bool) -> Result<Self, SetupError> {
        step(format!("make the mount point `/{target}`"), Self::made(root, target, is_dir))
    }

    fn made(root: &Path, target: &str, is_dir: bool) -> io::Result<Self> {
        let mut folder = Dir::open(root)?;
        let mut parts: Vec<&str> = target.split('/').filter(|part| !part.is_empty()).collect();
        let name = parts.pop().ok_or_else(|| io::Error::other("nothing is mounted at the root"))?;
        for part in parts {
            folder = folder_in(&folder, part)?;
        }
        if is_dir {
            folder_in(&folder, name)?;
        } else {
            file_in(&folder, name)?;
        }
        Ok(Self { folder, name: name.to_owned() })
    }

    /// What stands there now: the mount on top, if there is one.
    pub(crate) fn open(&self) -> io::Result<File> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = File::from(openat(self.folder.as_fd(), &*self.name, flags, Mode::empty())?);
        if opened.metadata()?.is_symlink() { Err(in_the_way()) } else { Ok(opened) }
    }
}

/// The name of what is held open, for calls that take no descriptor.
pub(crate) fn by_descriptor(file: &File) -> PathBuf {
    use std::os::fd::AsRawFd;
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

fn folder_in(folder: &Dir, name: &str) -> io::Result<Dir> {
    let path = path(name)?;
    match folder.sub(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            match Writer::new(folder).dir(&path) {
                // Another command made it meanwhile.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(()) => folder.handle(&path)?.set_permissions(Permissions::from_mode(0o755))?,
            }
            folder.sub(&path)
        }
        Err(error) if folder.meta(&path).is_ok_and(|found| found.is_symlink()) => {
            drop(error);
            Err(in_the_way())
        }
        outcome => outcome,
    }
}

fn file_in(folder: &Dir, name: &str) -> io::Result<()> {
    match Writer::new(folder).file(&path(name)?) {
        Ok(file) => file.set_permissions(Permissions::from_mode(0o644)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn path(name: &str) -> io::Result<RootPath> {
    RootPath::new(name).map_err(io::Error::other)
}

fn in_the_way() -> io::Error {
    io::Error::other("a symbolic link is in the way")
}
