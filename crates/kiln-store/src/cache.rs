use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use kiln_oci::Digest;

use crate::{Error, index};

/// What build steps yielded, by the digest of everything that went in. Losing an entry costs time only.
#[derive(Clone, Debug)]
pub struct StepCache {
    folder: PathBuf,
}

impl StepCache {
    /// The cache in `folder`, which is made where it is missing.
    pub fn create(folder: &Path) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// What the step with this key yielded.
    pub fn get(&self, key: &Digest) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path(key);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("read", &path)(error)),
        }
    }

    /// Remembers what the step with this key yielded.
    pub fn put(&self, key: &Digest, value: &[u8]) -> Result<(), Error> {
        index::replace(&self.path(key), value)
    }

    /// Forgets what the step with this key yielded.
    pub fn forget(&self, key: &Digest) -> Result<(), Error> {
        let path = self.path(key);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", &path)(error)),
            _ => Ok(()),
        }
    }

    fn path(&self, key: &Digest) -> PathBuf {
        self.folder.join(key.hex())
    }
}
