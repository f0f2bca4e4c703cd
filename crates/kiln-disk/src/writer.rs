use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use kiln_rootfs::RootPath;
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, Uid, chownat, linkat, mkdirat, mknodat, openat, renameat, symlinkat,
};

use crate::{Dir, Located};

/// Makes things in a folder. What is made must not be there yet. Entries that follow each other in one folder cost one
/// look-up of it.
pub struct Writer<'a> {
    root: &'a Dir,
    /// The folder that was written to last.
    last: Option<(RootPath, OwnedFd)>,
    /// A note that something is gone, which may have more names.
    gone: Option<Gone>,
}

/// A whiteout: its folder, its name, and how many names it has.
struct Gone {
    folder: OwnedFd,
    name: String,
    names: u32,
}

/// How many names one whiteout gets; no usual file system has fewer (ext4: 65,000).
const NAMES_MAX: u32 = 60_000;

impl<'a> Writer<'a> {
    /// Writes below `root`.
    pub fn new(root: &'a Dir) -> Self {
        Self { root, last: None, gone: None }
    }

    /// The folder that `path` lies in, which must be there.
    fn parent(&mut self, path: &RootPath) -> io::Result<BorrowedFd<'_>> {
        let parent = path.parent().unwrap_or(RootPath::ROOT);
        if self.last.as_ref().is_none_or(|(last, _)| *last != parent) {
            let descriptor = self.root.way(&parent)?;
            self.last = Some((parent, descriptor));
        }
        Ok(self.last.as_ref().expect("it was set a line above").1.as_fd())
    }

    /// Makes a folder that only its owner may enter.
    pub fn dir(&mut self, path: &RootPath) -> io::Result<()> {
        Ok(mkdirat(self.parent(path)?, path.file_name(), Mode::RWXU)?)
    }

    /// Makes a file that only its owner may read, and opens it for writing.
    pub fn file(&mut self, path: &RootPath) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        Ok(File::from(openat(self.parent(path)?, path.file_name(), flags, mode)?))
    }

    /// Makes a symbolic link; where it leads is not looked at.
    pub fn symlink(&mut self, path: &RootPath, target: &str) -> io::Result<()> {
        Ok(symlinkat(target, self.parent(path)?, path.file_name())?)
    }

    /// Gives a file of this folder another name.
    pub fn hard_link(&mut self, path: &RootPath, file: &RootPath) -> io::Result<()> {
        let from = self.root.way(&file.parent().unwrap_or(RootPath::ROOT))?;
        Ok(linkat(from, file.file_name(), self.parent(path)?, path.file_name(), AtFlags::empty())?)
    }

    /// Notes for an overlay that something of a lower folder is gone: a character device 0/0, which anyone may make since
    /// Linux 5.8. Many such notes are names of one device, as overlays make them, too: a name costs less than a device.
    pub fn whiteout(&mut self, path: &RootPath) -> io::Result<()> {
        let gone = self.gone.take().filter(|gone| gone.names < NAMES_MAX);
        let parent = self.parent(path)?;
        if let Some(gone) = gone
            && linkat(&gone.folder, &*gone.name, parent, path.file_name(), AtFlags::empty()).is_ok()
        {
            self.gone = Some(Gone { names: gone.names + 1, ..gone });
            return Ok(());
        }
        // Where there was none, or it can have no more names.
        mknodat(parent, path.file_name(), FileType::CharacterDevice, Mode::empty(), 0)?;
        let (folder, name) = (parent.try_clone_to_owned()?, path.file_name().to_owned());
        self.gone = Some(Gone { folder, name, names: 1 });
        Ok(())
    }

    /// Moves a file of the same file system here.
    pub fn take(&mut self, path: &RootPath, file: &Located) -> io::Result<()> {
        let from = file.folder.way(&file.path.parent().unwrap_or(RootPath::ROOT))?;
        Ok(renameat(from, file.path.file_name(), self.parent(path)?, path.file_name())?)
    }

    /// Opens what was made, to set its attributes.
    pub fn handle(&mut self, path: &RootPath) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        Ok(File::from(openat(self.parent(path)?, path.file_name(), flags, Mode::empty())?))
    }

    /// Gives what was made to a user and a group, a link itself.
    pub fn own(&mut self, path: &RootPath, (uid, gid): (u32, u32)) -> io::Result<()> {
        let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
        Ok(chownat(self.parent(path)?, path.file_name(), uid, gid, AtFlags::SYMLINK_NOFOLLOW)?)
    }
}
