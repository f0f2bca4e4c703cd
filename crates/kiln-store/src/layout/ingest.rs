use std::io::{self, Write};
use std::path::Path;

use kiln_disk::{Incoming, PLAIN};
use kiln_image::Sink as _;
use kiln_oci::{Descriptor, Digest, HashingWriter};

use crate::error::ErrorKind;
use crate::{Error, Layout, index};

/// A blob in the making. Dropped without [`Ingest::commit`], it leaves nothing behind.
pub struct Ingest {
    file: HashingWriter<Incoming>,
    layout: Layout,
}

impl Ingest {
    pub(crate) fn start(folder: &Path, layout: &Layout) -> Result<Self, Error> {
        kiln_disk::own::folder(folder).map_err(Error::io("create the folder", folder))?;
        let file = Incoming::start(folder, PLAIN).map_err(Error::io("create a file in", folder))?;
        Ok(Self { file: HashingWriter::new(file), layout: layout.clone() })
    }

    /// Makes the blob visible, if it is what was promised: `digest`, or anything where that is `None`.
    pub fn commit(self, promised: Option<(Digest, u64)>) -> Result<(Digest, u64), Error> {
        let (mut file, digest, size) = self.file.finish();
        if let Some((promised, promised_size)) = promised
            && (promised, promised_size) != (digest, size)
        {
            return Err(ErrorKind::Mismatch { promised, promised_size, digest, got: size }.into());
        }
        // A blob that is there and right stays: others may be reading it, and it was checked.
        if !self.layout.has(&Descriptor::new("", digest, size))? {
            let target = self.layout.blob_path(&digest);
            let failed = Error::io("put in place the blob", &target);
            match file.appear(&target) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    let _lock = index::lock(self.layout.folder())?;
                    file.replace(&target).map_err(failed)?;
                }
                appeared => appeared.map_err(failed)?,
            }
            self.layout.remember(&digest);
        }
        Ok((digest, size))
    }

    /// Removes what killed processes left behind in `folder`.
    pub(crate) fn sweep(folder: &Path) {
        kiln_disk::sweep(folder);
    }
}

impl Write for Ingest {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
