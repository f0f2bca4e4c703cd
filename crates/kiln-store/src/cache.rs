use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use kiln_disk::{Durability, replace_from, sweep_where};
use kiln_oci::Digest;

use crate::Error;

/// Where files of a cache are in the making: in the cache itself they could not be told from thousands of others.
const INCOMING: &str = "incoming";

/// The first thing that could not be kept.
static TROUBLE: OnceLock<Error> = OnceLock::new();

/// What build steps yielded, by the digest of everything that went in. Losing an entry costs time only, and so does a cache that
/// cannot be written: then an entry lasts as long as this value and its clones.
#[derive(Clone, Debug)]
pub struct StepCache {
    folder: PathBuf,
    unwritten: Arc<Mutex<BTreeMap<Digest, Vec<u8>>>>,
}

impl StepCache {
    /// The cache in `folder`, which is made where it is missing.
    pub fn create(folder: &Path) -> Result<Self, Error> {
        let incoming = folder.join(INCOMING);
        if let Err(error) = kiln_disk::own::folder(&incoming) {
            TROUBLE.get_or_init(|| Error::io("create the folder", &incoming)(error));
        }
        Self::sweep(folder);
        Ok(Self { folder: folder.to_owned(), unwritten: Arc::default() })
    }

    /// Removes what killed processes left in the making in the cache in `folder`.
    pub fn sweep(folder: &Path) {
        sweep_where(&folder.join(INCOMING), |_| true);
    }

    /// Why something could not be kept in any cache of this process, if that happened.
    pub fn trouble() -> Option<&'static Error> {
        TROUBLE.get()
    }

    /// What the step with this key yielded.
    pub fn get(&self, key: &Digest) -> Result<Option<Vec<u8>>, Error> {
        match fs::read(self.path(key)) {
            Ok(bytes) => Ok(Some(bytes)),
            // An entry that cannot be read is none.
            Err(_) => Ok(self.unwritten().get(key).cloned()),
        }
    }

    /// Remembers what the step with this key yielded.
    pub fn put(&self, key: &Digest, value: &[u8]) -> Result<(), Error> {
        let path = self.path(key);
        let written = replace_from(&self.folder.join(INCOMING), &path, value, Durability::Process);
        if let Err(error) = written {
            TROUBLE.get_or_init(|| Error::io("write", &path)(error));
            self.unwritten().insert(*key, value.to_vec());
        }
        Ok(())
    }

    /// Forgets what the step with this key yielded.
    pub fn forget(&self, key: &Digest) -> Result<(), Error> {
        self.unwritten().remove(key);
        let path = self.path(key);
        match kiln_disk::own::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", &path)(error)),
            _ => Ok(()),
        }
    }

    fn unwritten(&self) -> MutexGuard<'_, BTreeMap<Digest, Vec<u8>>> {
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, key: &Digest) -> PathBuf {
        self.folder.join(key.hex())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_lasts_as_long_as_the_cache() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("steps");
        fs::write(&place, "a file stands where the folder should be").unwrap();
        let cache = StepCache::create(&place).unwrap();
        let key = Digest::of(b"key");
        assert_eq!(cache.get(&key).unwrap(), None);
        cache.put(&key, b"value").unwrap();
        assert_eq!(cache.clone().get(&key).unwrap().as_deref(), Some(&b"value"[..]));
        assert!(StepCache::trouble().is_some());
        assert_eq!(StepCache::create(&place).unwrap().get(&key).unwrap(), None);
    }

    #[test]
    fn entries_come_and_go_and_leave_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let cache = StepCache::create(folder.path()).unwrap();
        let key = Digest::of(b"key");
        for value in [&b"one"[..], b"two"] {
            cache.put(&key, value).unwrap();
            assert_eq!(cache.get(&key).unwrap().as_deref(), Some(value));
        }
        cache.forget(&key).unwrap();
        cache.forget(&key).unwrap();
        assert_eq!(cache.get(&key).unwrap(), None);
        assert_eq!(fs::read_dir(folder.path().join(INCOMING)).unwrap().count(), 0);
    }
}
