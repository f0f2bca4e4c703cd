use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use kiln_oci::{Digest, HashingWriter};

use crate::Error;
use crate::error::ErrorKind;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// A blob in the making. Dropped without [`Ingest::commit`], it leaves nothing behind.
pub struct Ingest {
    file: Option<HashingWriter<File>>,
    path: PathBuf,
    blobs: PathBuf,
}

impl Ingest {
    pub(crate) fn start(folder: &Path, blobs: &Path) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
        let name = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = folder.join(name);
        let file = File::create(&path).map_err(Error::io("create the file", &path))?;
        // The lock tells a later process that this file is still being written.
        file.lock().map_err(Error::io("lock the file", &path))?;
        Ok(Self { file: Some(HashingWriter::new(file)), path, blobs: blobs.to_owned() })
    }

    /// Makes the blob visible, if it is what was promised: `digest`, or anything where that is `None`.
    pub fn commit(mut self, promised: Option<(Digest, u64)>) -> Result<(Digest, u64), Error> {
        let file = self.file.take().expect("only commit and drop take the file");
        let (file, digest, size) = file.finish();
        if let Some((promised, promised_size)) = promised
            && (promised, promised_size) != (digest, size)
        {
            return Err(ErrorKind::Mismatch { promised, promised_size, digest, got: size }.into());
        }
        let target = self.blobs.join(digest.hex());
        fs::rename(&self.path, &target).map_err(Error::io("put in place the blob", &target))?;
        drop(file);
        Ok((digest, size))
    }

    /// Removes what killed processes left behind in `folder`.
    pub(crate) fn sweep(folder: &Path) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            let abandoned = File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok());
            if abandoned {
                // Another process may sweep at the same time; either may win.
                drop(fs::remove_file(entry.path()));
            }
        }
    }
}

impl Write for Ingest {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_mut().expect("only commit and drop take the file").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Ingest {
    fn drop(&mut self) {
        // After a commit the name is gone already.
        drop(fs::remove_file(&self.path));
    }
}
