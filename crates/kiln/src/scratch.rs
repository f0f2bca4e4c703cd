use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use kiln_finding::Class;
use kiln_sandbox::remove;

use crate::failure::Failure;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// A folder of this process alone, removed with everything in it. A lock shows others that it is in use, so that what
/// killed processes left can be told apart.
pub(crate) struct Scratch {
    folder: PathBuf,
    _lock: File,
}

impl Scratch {
    pub(crate) fn create(parent: &Path) -> Result<Self, Failure> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = parent.join(format!("{}-{number}.tmp", std::process::id()));
        let make = || {
            fs::create_dir_all(&folder)?;
            let lock = File::create(folder.join("lock"))?;
            lock.lock()?;
            Ok(lock)
        };
        remove(&folder)?;
        let lock = make().map_err(|error| io("create", &folder, &error))?;
        Ok(Self { folder, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    /// A new empty folder inside.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf, Failure> {
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder).map_err(|error| io("create", &folder, &error))?;
        Ok(folder)
    }

    /// Removes what killed processes left in `parent`.
    pub(crate) fn sweep(parent: &Path) {
        let Ok(entries) = fs::read_dir(parent) else { return };
        for entry in
            entries.flatten().filter(|entry| entry.path().extension().is_some_and(|end| end == "tmp"))
        {
            let is_free = File::open(entry.path().join("lock")).is_ok_and(|lock| lock.try_lock().is_ok());
            if is_free {
                drop(remove(&entry.path()));
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is swept by a later build.
        drop(remove(&self.folder));
    }
}

/// A failure of this machine's disk.
pub(crate) fn io(doing: &str, path: &Path, cause: &std::io::Error) -> Failure {
    let failure = Failure::new("build.io", Class::Environment, format!("{doing} `{}`", path.display()))
        .with_cause(cause.to_string());
    match cause.kind() {
        std::io::ErrorKind::StorageFull => {
            failure.with_help("free some space and run the command again; nothing half-written was kept")
        }
        _ => failure,
    }
}
