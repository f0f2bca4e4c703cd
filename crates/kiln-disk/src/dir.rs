use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kiln_rootfs::RootPath;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, readlinkat, statat, unlinkat};

use crate::beneath::{self, Links};

/// A folder held open. Paths are taken from it and cannot leave it: no symbolic link is gone through.
#[derive(Clone, Debug)]
pub struct Dir {
    descriptor: Arc<OwnedFd>,
    place: Arc<Path>,
}

/// What is known of a file without opening it.
#[derive(Clone, Copy, Debug)]
pub struct Meta(Stat);

impl Meta {
    /// File, folder, link and so on.
    pub fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.0.st_mode)
    }

    /// Whether it is a folder.
    pub fn is_dir(&self) -> bool {
        self.kind() == FileType::Directory
    }

    /// Whether it is a regular file.
    pub fn is_file(&self) -> bool {
        self.kind() == FileType::RegularFile
    }

    /// Whether it is a symbolic link.
    pub fn is_symlink(&self) -> bool {
        self.kind() == FileType::Symlink
    }

    /// Whether it is a socket.
    pub fn is_socket(&self) -> bool {
        self.kind() == FileType::Socket
    }

    /// A character device 0/0: how an overlay notes that something of a lower folder was removed.
    pub fn is_whiteout(&self) -> bool {
        self.kind() == FileType::CharacterDevice && self.0.st_rdev == 0
    }

    /// Permission bits with setuid, setgid and sticky.
    pub fn mode(&self) -> u32 {
        self.0.st_mode & 0o7777
    }

    /// Owner and group.
    pub fn owner(&self) -> (u32, u32) {
        (self.0.st_uid, self.0.st_gid)
    }

    /// Size in bytes.
    pub fn size(&self) -> u64 {
        self.0.st_size.cast_unsigned()
    }

    /// Number of the file on its file system.
    pub fn inode(&self) -> u64 {
        self.0.st_ino
    }

    /// Whether it has more than one name.
    pub fn is_shared(&self) -> bool {
        self.0.st_nlink > 1
    }
}

impl Dir {
    /// Opens a folder that the user or kiln itself names; links in this one path are followed.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let descriptor = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(Self { descriptor: Arc::new(descriptor), place: path.into() })
    }

    /// The same; the folder and those above it are made where they are missing.
    pub fn create(path: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(path)?;
        Self::open(path)
    }

    /// Where the folder was when it was opened, for messages and mounts.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// The name of something in it, for messages.
    pub fn place_of(&self, path: &RootPath) -> PathBuf {
        if path.is_root() { self.place.to_path_buf() } else { self.place.join(path.as_str()) }
    }

    /// A folder below.
    pub fn sub(&self, path: &RootPath) -> io::Result<Self> {
        self.folder(path, Links::Refused)
    }

    /// A folder below; links lead where they would if this were `/`.
    pub fn sub_in_root(&self, path: &RootPath) -> io::Result<Self> {
        self.folder(path, Links::InRoot)
    }

    fn folder(&self, path: &RootPath, links: Links) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let descriptor = beneath::open(self.as_fd(), path.as_str(), flags, Mode::empty(), links)?;
        Ok(Self { descriptor: Arc::new(descriptor), place: self.place_of(path).into() })
    }

    /// Opens a regular file for reading. Anything else is refused, and nothing is waited for.
    pub fn file(&self, path: &RootPath) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = beneath::open(self.as_fd(), path.as_str(), flags, Mode::empty(), Links::Refused)?;
        if Meta(fstat(&file)?).is_file() {
            return Ok(File::from(file));
        }
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"))
    }

    /// Opens a file or folder to set its attributes.
    pub fn handle(&self, path: &RootPath) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        Ok(File::from(beneath::open(self.as_fd(), path.as_str(), flags, Mode::empty(), Links::Refused)?))
    }

    /// What stands there, itself.
    pub fn meta(&self, path: &RootPath) -> io::Result<Meta> {
        match path.parent() {
            None => Ok(Meta(fstat(self)?)),
            Some(parent) if parent.is_root() => self.meta_here(OsStr::new(path.file_name())),
            Some(parent) => Ok(Meta(stat_in(self.way(&parent)?.as_fd(), OsStr::new(path.file_name()))?)),
        }
    }

    /// What stands there under a name of this very folder.
    pub fn meta_here(&self, name: &OsStr) -> io::Result<Meta> {
        Ok(Meta(stat_in(self.as_fd(), name)?))
    }

    /// Where a link leads, as it is written.
    pub fn link(&self, path: &RootPath) -> io::Result<OsString> {
        let parent = path.parent().unwrap_or(RootPath::ROOT);
        let parent = self.way(&parent)?;
        link_in(parent.as_fd(), OsStr::new(path.file_name()))
    }

    /// Where a link of this very folder leads, as it is written.
    pub fn link_here(&self, name: &OsStr) -> io::Result<OsString> {
        link_in(self.as_fd(), name)
    }

    /// Removes one file, link or empty folder.
    pub fn remove_one(&self, path: &RootPath) -> io::Result<()> {
        let parent = self.way(&path.parent().unwrap_or(RootPath::ROOT))?;
        let is_dir = Meta(stat_in(parent.as_fd(), OsStr::new(path.file_name()))?).is_dir();
        let flags = if is_dir { AtFlags::REMOVEDIR } else { AtFlags::empty() };
        Ok(unlinkat(parent, path.file_name(), flags)?)
    }

    /// Names in this very folder, in no order.
    pub fn names(&self) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(self)? {
            let name = entry?.file_name().to_bytes().to_vec();
            if name != b"." && name != b".." {
                names.push(OsString::from_vec(name));
            }
        }
        Ok(names)
    }

    /// A descriptor to go through, not to read.
    pub(crate) fn way(&self, path: &RootPath) -> io::Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        beneath::open(self.as_fd(), path.as_str(), flags, Mode::empty(), Links::Refused)
    }
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

fn stat_in(folder: BorrowedFd<'_>, name: &OsStr) -> io::Result<Stat> {
    Ok(statat(folder, name.as_bytes(), AtFlags::SYMLINK_NOFOLLOW)?)
}

fn link_in(folder: BorrowedFd<'_>, name: &OsStr) -> io::Result<OsString> {
    let target = readlinkat(folder, name.as_bytes(), Vec::new())?;
    Ok(OsString::from_vec(target.into_bytes()))
}
