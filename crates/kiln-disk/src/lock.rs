use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

/// A lock on a file that is there for nothing else. It holds between all processes that see the file, whatever namespaces or
/// containers they run in, and ends with the process that holds it, however that ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Who else may hold a lock at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    /// All who share it, too.
    Shared,
    /// Nobody.
    Alone,
}

impl Lock {
    /// Takes the lock, waiting for those who hold it. The file is made where it is missing; its folder is not.
    pub fn wait(path: &Path, holding: Holding) -> io::Result<Self> {
        let file = open(path, holding)?;
        lock(&file, holding, true).map_err(|error| explained(path, error))?;
        Ok(Self { _file: file })
    }

    /// Takes the lock if that is possible at once.
    pub fn attempt(path: &Path, holding: Holding) -> io::Result<Option<Self>> {
        let file = open(path, holding)?;
        match lock(&file, holding, false) {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(explained(path, error)),
        }
    }
}

/// Locks an open file: what stands in for its name while it is in the making.
pub(crate) fn lock(file: &File, holding: Holding, wait: bool) -> Result<(), Errno> {
    let operation = match (holding, wait) {
        (Holding::Shared, true) => FlockOperation::LockShared,
        (Holding::Shared, false) => FlockOperation::NonBlockingLockShared,
        (Holding::Alone, true) => FlockOperation::LockExclusive,
        (Holding::Alone, false) => FlockOperation::NonBlockingLockExclusive,
    };
    retry_on_intr(|| rustix::fs::flock(file, operation))
}

fn open(path: &Path, holding: Holding) -> io::Result<File> {
    let flags = OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let open = |flags| rustix::fs::open(path, flags, Mode::from_raw_mode(0o666)).map(OwnedFd::into);
    match open(flags | OFlags::RDWR | OFlags::CREATE) {
        // A file that may only be read can be locked by those who share it.
        Err(Errno::ACCESS | Errno::ROFS | Errno::PERM) if holding == Holding::Shared => {
            Ok(open(flags | OFlags::RDONLY)?)
        }
        opened => Ok(opened?),
    }
}

/// Says what a file system without locks is called by the system, in words. Such an error is of the kind `Unsupported`.
pub(crate) fn explained(path: &Path, error: Errno) -> io::Error {
    match error {
        Errno::NOLCK | Errno::NOSYS | Errno::OPNOTSUPP => {
            let folder = path.parent().unwrap_or(path).display();
            let why = format!("the file system of `{folder}` has no locks ({error})");
            io::Error::new(io::ErrorKind::Unsupported, why)
        }
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alone_or_many_who_share() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let attempt = |holding| Lock::attempt(&path, holding).unwrap();
        let first = Lock::wait(&path, Holding::Shared).unwrap();
        let second = attempt(Holding::Shared).expect("both share it");
        assert!(attempt(Holding::Alone).is_none());
        drop((first, second));
        let alone = attempt(Holding::Alone).expect("nobody holds it");
        assert!(attempt(Holding::Shared).is_none());
        drop(alone);
        assert!(attempt(Holding::Shared).is_some());
    }

    #[test]
    fn a_link_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("lock"), folder.path().join("other"));
        std::os::unix::fs::symlink(&other, &path).unwrap();
        assert!(Lock::wait(&path, Holding::Alone).is_err());
        assert!(!other.exists());
    }

    #[test]
    fn a_file_system_without_locks_is_named() {
        for error in [Errno::NOLCK, Errno::NOSYS, Errno::OPNOTSUPP] {
            let explained = explained(Path::new("/mnt/share/lock"), error);
            assert_eq!(explained.kind(), io::ErrorKind::Unsupported);
            assert!(explained.to_string().contains("`/mnt/share` has no locks"), "{explained}");
        }
        assert_eq!(explained(Path::new("/x"), Errno::IO).raw_os_error(), Some(Errno::IO.raw_os_error()));
    }
}
