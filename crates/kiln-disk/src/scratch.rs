use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use kiln_finding::Failure;

use crate::lock::{Holding, Lock};
use crate::{disk_failure, own, remove};

const LOCK: &str = "lock";
const SUFFIX: &str = ".tmp";

/// A folder of this process alone, removed with everything in it. A lock shows others that it is in use, so that what
/// killed processes left can be told apart.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    _lock: Lock,
}

impl Scratch {
    /// A new one in `parent`, which is made where it is missing.
    pub fn create(parent: &Path) -> Result<Self, Failure> {
        Self::named(parent, "").map_err(|error| disk_failure("create a folder in", parent, &error))
    }

    /// With a name that begins with `prefix`.
    pub fn named(parent: &Path, prefix: &str) -> io::Result<Self> {
        own::folder(parent)?;
        let mut names = tempfile::Builder::new();
        names.prefix(prefix).suffix(SUFFIX).rand_bytes(16);
        loop {
            let made = names.make_in(parent, |path| own::private_folder(path))?;
            // From here on it is removed as a whole, not by a name of a file.
            let folder = made.into_temp_path().keep().map_err(|failed| failed.error)?;
            match Lock::wait(&folder.join(LOCK), Holding::Alone) {
                // Somebody may have swept it between its making and its lock.
                Ok(lock) if folder.join(LOCK).exists() => return Ok(Self { folder, _lock: lock }),
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    drop(remove(&folder));
                    return Err(error);
                }
                _ => {}
            }
        }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// A new empty folder inside.
    pub fn folder(&self, name: &str) -> Result<PathBuf, Failure> {
        let folder = self.folder.join(name);
        own::folder(&folder).map_err(|error| disk_failure("create", &folder, &error))?;
        Ok(folder)
    }

    /// Removes what killed processes left in `parent`.
    pub fn sweep(parent: &Path) {
        Self::sweep_named(parent, "");
    }

    /// The same of those whose name begins with `prefix`; only what is this user's.
    pub fn sweep_named(parent: &Path, prefix: &str) {
        let Ok(entries) = fs::read_dir(parent) else { return };
        let own = rustix::process::geteuid().as_raw();
        for entry in entries.flatten() {
            let name = entry.file_name();
            let is_one = name.to_str().is_some_and(|name| name.starts_with(prefix) && name.ends_with(SUFFIX));
            if is_one && entry.metadata().is_ok_and(|found| found.is_dir() && found.uid() == own) {
                sweep_one(&entry.path());
            }
        }
    }
}

fn sweep_one(folder: &Path) {
    // One that was made a moment ago has no lock yet; it is empty, and whoever made it makes another one.
    if own::remove_empty(folder).is_ok() || !folder.join(LOCK).exists() {
        return;
    }
    if let Ok(Some(_held)) = Lock::attempt(&folder.join(LOCK), Holding::Alone) {
        remove_locked(folder);
    }
}

/// The lock goes last: where the removal ends early, the next sweep finds it.
fn remove_locked(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name() != LOCK) {
        drop(remove(&entry.path()));
    }
    drop(remove(folder));
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is swept by a later build.
        remove_locked(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_uses_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let parent = folder.path().join("scratch");
        let alive = Scratch::create(&parent).unwrap();
        fs::write(alive.path().join("file"), "").unwrap();
        // As processes leave them that were killed: with a lock, before they had one, and named as older versions did.
        for (name, lock) in [("abandoned.tmp", true), ("early.tmp", false), ("4711-0.tmp", true)] {
            fs::create_dir(parent.join(name)).unwrap();
            if lock {
                fs::write(parent.join(name).join(LOCK), "").unwrap();
                fs::create_dir(parent.join(name).join("deep")).unwrap();
            }
        }
        fs::create_dir(parent.join("result")).unwrap();
        Scratch::sweep(&parent);
        let mut left: Vec<_> = fs::read_dir(&parent).unwrap().map(|entry| entry.unwrap().path()).collect();
        left.sort();
        let mut expected = [alive.path().to_owned(), parent.join("result")];
        expected.sort();
        assert_eq!(left, expected);
        assert!(alive.path().join("file").exists());
    }

    #[test]
    fn makers_and_sweepers_at_once() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let scratch = Scratch::create(folder.path()).unwrap();
                        let file = scratch.path().join("file");
                        fs::write(&file, "here").unwrap();
                        Scratch::sweep(folder.path());
                        assert!(file.exists());
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
