//! Removing folders that commands of others filled: any depth, any permissions, no link followed.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, chmod, openat, renameat, statat, unlinkat};
use rustix::io::Errno;

/// How deep folders are descended into before what lies there is moved up: each level holds a descriptor.
const DEPTH: usize = 64;
/// How often a folder is looked through again because somebody fills it meanwhile.
const IDLE_MAX: usize = 16;
/// How many names are tried for a folder that is moved up.
const NAMES_MAX: u64 = 1000;

/// Removes what stands at `path` and all below it, also what was left without permissions. A link is removed itself. What is
/// missing is fine.
pub fn remove(path: &Path) -> io::Result<()> {
    match unlinkat(CWD, path, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        // Linux says so of folders, and so do file systems that answer as POSIX wants it.
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(error.into()),
    }
    let mut idle = 0;
    while idle < IDLE_MAX {
        let folder = enter(CWD, path.as_os_str().as_encoded_bytes())?;
        let mut sweep = Sweep { top: folder.as_fd(), moved: 0 };
        sweep.empty(folder.as_fd(), 0)?;
        match unlinkat(CWD, path, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            Err(Errno::NOTEMPTY | Errno::EXIST) if sweep.moved > 0 => {}
            Err(Errno::NOTEMPTY | Errno::EXIST) => idle += 1,
            Err(error) => return Err(error.into()),
        }
    }
    Err(Errno::NOTEMPTY.into())
}

struct Sweep<'a> {
    top: BorrowedFd<'a>,
    /// How many folders were moved up so far.
    moved: u64,
}

impl Sweep<'_> {
    fn empty(&mut self, folder: BorrowedFd<'_>, depth: usize) -> io::Result<()> {
        for entry in Dir::read_from(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            if !is_dir(folder, &entry)? {
                ignore_missing(unlinkat(folder, name, AtFlags::empty()))?;
            } else if depth >= DEPTH {
                self.move_up(folder, name)?;
            } else {
                let below = enter(folder, name.to_bytes())?;
                self.empty(below.as_fd(), depth + 1)?;
                match unlinkat(folder, name, AtFlags::REMOVEDIR) {
                    Err(Errno::NOTEMPTY | Errno::EXIST) => {}
                    outcome => ignore_missing(outcome)?,
                }
            }
        }
        Ok(())
    }

    /// Moves a folder to the top, where it is emptied in the next round.
    fn move_up(&mut self, folder: BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
        // To be moved, a folder must let its owner change what it says of the one above.
        let inode = rustix::fs::fstat(enter(folder, name.to_bytes())?)?.st_ino;
        for number in 0..NAMES_MAX {
            match renameat(folder, name, self.top, format!(".removed-{inode}-{number}")) {
                Ok(()) => {
                    self.moved += 1;
                    return Ok(());
                }
                Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Errno::EXIST.into())
    }
}

fn ignore_missing(outcome: rustix::io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(Errno::NOENT) => Ok(()),
        outcome => Ok(outcome?),
    }
}

fn is_dir(folder: BorrowedFd<'_>, entry: &rustix::fs::DirEntry) -> io::Result<bool> {
    match entry.file_type() {
        FileType::Unknown => {
            let stat = statat(folder, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)?;
            Ok(FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
        }
        kind => Ok(kind == FileType::Directory),
    }
}

/// Opens a folder, whose owner is let in first where need be.
fn enter(parent: impl AsFd, name: &[u8]) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let way = openat(&parent, name, flags | OFlags::PATH, Mode::empty())?;
    let mode = Mode::from_raw_mode(rustix::fs::fstat(&way)?.st_mode);
    if !mode.contains(Mode::RWXU) {
        // Through its descriptor, as a folder without permissions cannot be opened otherwise. What stays shut shows below.
        chmod(format!("/proc/self/fd/{}", way.as_raw_fd()), Mode::RWXU).unwrap_or_default();
    }
    Ok(openat(&way, ".", flags | OFlags::RDONLY, Mode::empty())?)
}
