use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use kiln_finding::{Failure, PortError};
use kiln_vuln::{Cause, ReadAt};

use super::{DATABASE_MAX, failed};

/// A database in a file, read in the parts that are asked.
///
/// It is not mapped: a mapping needs `unsafe`, and a file that shrinks under it ends the process. Two reads (header and list of
/// slices) take a hundredth of a millisecond, and a lookup needs one slice, never the file.
pub(crate) struct AtPath {
    file: File,
    path: PathBuf,
}

impl AtPath {
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let file = File::open(path).map_err(|error| failed("open", path, &error))?;
        let length = file.metadata().map_err(|error| failed("read", path, &error))?.len();
        if length > DATABASE_MAX {
            return Err(failed("read", path, &"it is larger than any advisory database"));
        }
        Ok(Self { file, path: path.to_owned() })
    }
}

impl ReadAt for AtPath {
    fn read(&self, at: u64, length: usize) -> Result<Vec<u8>, Cause> {
        let cause = |why: String| Cause::new(PortError::new(failed("read", &self.path, &why)));
        let size = self.file.metadata().map_err(|error| cause(error.to_string()))?.len();
        // Before the memory is taken that a damaged header asks for.
        if at.checked_add(length as u64).is_none_or(|end| end > size) {
            return Err(cause("it ends early".to_owned()));
        }
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, at).map_err(|error| cause(error.to_string()))?;
        Ok(bytes)
    }
}
