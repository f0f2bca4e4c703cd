//! The two folders that kiln keeps things in, as one command uses them: nothing is pruned from them meanwhile, and what killed
//! commands left there goes.

use std::fs;
use std::path::{Path, PathBuf};

use kiln_disk::{Holding, Lock, Scratch, sweep, sweep_where};
use kiln_finding::Failure;
use kiln_oci::Digest;
use kiln_store::StepCache;

use crate::output;

/// Held by every command that uses a folder, and alone by one that removes things from it.
const IN_USE: &str = ".in-use";
/// How the name of a folder begins that stands in for the cache.
const STAND_IN: &str = "kiln-";

/// The folders, in use.
pub(crate) struct InUse {
    _data: Option<Lock>,
    _cache: Option<Lock>,
    /// What the cache is in place of one that cannot be written.
    stand_in: Option<Scratch>,
}

impl InUse {
    /// Begins to use the folders. A cache that cannot be written costs time: this command has one of its own, and says so.
    pub(crate) fn begin(data_dir: &Path, cache_dir: &Path, quiet: bool) -> Result<Self, Failure> {
        // What needs the data folder fails where it cannot be had, and says why; a scan of an archive needs nothing of it.
        let data = share(data_dir).ok();
        sweep_data(data_dir);
        match share(cache_dir) {
            Ok(cache) => {
                sweep_cache(cache_dir);
                Ok(Self { _data: data, _cache: Some(cache), stand_in: None })
            }
            Err(cause) => {
                if !quiet {
                    output::talk(&format!(
                        "warning: nothing is kept for later commands: the cache {} cannot be used: {cause}",
                        cache_dir.display()
                    ));
                }
                Ok(Self { _data: data, _cache: None, stand_in: Some(stand_in()?) })
            }
        }
    }

    /// The cache in place of the one that cannot be used.
    pub(crate) fn stand_in(&self) -> Option<PathBuf> {
        self.stand_in.as_ref().map(|scratch| scratch.path().to_owned())
    }
}

fn stand_in() -> Result<Scratch, Failure> {
    let folder = std::env::temp_dir();
    Scratch::sweep_named(&folder, STAND_IN);
    Scratch::named(&folder, STAND_IN)
        .map_err(|error| kiln_disk::disk_failure("create a folder in", &folder, &error))
}

fn share(folder: &Path) -> std::io::Result<Lock> {
    kiln_disk::own::folder(folder)?;
    take(folder, Holding::Shared, "`kiln prune` to end")
}

/// A folder that nobody else uses meanwhile, after waiting for those who do; `None` where there is no such folder.
pub(crate) fn alone(folder: &Path) -> Result<Option<Lock>, Failure> {
    if !folder.is_dir() {
        return Ok(None);
    }
    let taken = take(folder, Holding::Alone, &format!("other kilns that use {} to end", folder.display()));
    taken.map(Some).map_err(|error| kiln_disk::disk_failure("use alone", folder, &error))
}

/// A folder that others may use meanwhile, but from which nobody prunes.
pub(crate) fn shared(folder: &Path) -> Result<Lock, Failure> {
    share(folder).map_err(|error| kiln_disk::disk_failure("use", folder, &error))
}

/// A folder that nobody else uses meanwhile, if nobody uses it now; else shared with those who do. Says which.
pub(crate) fn alone_or_shared(folder: &Path) -> Result<(Lock, Holding), Failure> {
    let taken = || {
        kiln_disk::own::folder(folder)?;
        match Lock::attempt(&folder.join(IN_USE), Holding::Alone)? {
            Some(lock) => Ok((lock, Holding::Alone)),
            None => Ok((share(folder)?, Holding::Shared)),
        }
    };
    taken().map_err(|error| kiln_disk::disk_failure("use", folder, &error))
}

fn take(folder: &Path, holding: Holding, awaited: &str) -> std::io::Result<Lock> {
    let path = folder.join(IN_USE);
    if let Some(lock) = Lock::attempt(&path, holding)? {
        return Ok(lock);
    }
    output::talk(&format!("waiting for {awaited}"));
    Lock::wait(&path, holding)
}

/// The same of what earlier versions left, which locked nothing: only for who uses the folders alone.
pub(crate) fn sweep_older(data_dir: &Path) {
    for folder in ["", "keys", "advisories", "store"] {
        sweep_where(&data_dir.join(folder), |name| name.as_encoded_bytes().ends_with(b".tmp"));
    }
}

/// Whether a file of this name shows that its folder is in use.
pub(crate) fn is_in_use_lock(name: &str) -> bool {
    name == IN_USE
}

/// Removes what killed commands left in the data folder.
pub(crate) fn sweep_data(data_dir: &Path) {
    sweep_where(&data_dir.join("store/ingest"), |_| true);
}

/// Removes what killed commands left in the cache.
pub(crate) fn sweep_cache(cache_dir: &Path) {
    Scratch::sweep(&cache_dir.join("spool"));
    let layers = fs::read_dir(cache_dir.join("layers")).into_iter().flatten().flatten();
    layers.for_each(|ids| Scratch::sweep(&ids.path().join("scratch")));
    sweep(&cache_dir.join("downloads/partial"));
    StepCache::sweep(&cache_dir.join("steps"));
}

/// Says that the store was mended.
pub(crate) fn say_damaged(digest: &Digest, aside: &Path) {
    output::talk(&format!(
        "warning: a blob in the store was not what its name says: {digest}; it is now {}, and is fetched or built again",
        aside.display()
    ));
}
