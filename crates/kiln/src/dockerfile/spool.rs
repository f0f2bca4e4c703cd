use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use kiln_disk::{Dir, Located, Writer};
use kiln_rootfs::{Content, RootPath};

/// A folder that takes the files of an archive or a layer, under numbers.
pub(super) struct Spool {
    folder: Dir,
    next: AtomicU64,
}

impl Spool {
    /// Puts files into `folder`, which must be empty.
    pub(super) fn new(folder: Dir) -> Self {
        Self { folder, next: AtomicU64::new(0) }
    }

    /// Keeps bytes, which are read to their end; `size` is how many they must be.
    pub(super) fn keep(&self, size: u64, bytes: &mut dyn Read) -> io::Result<Content> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let path = RootPath::new(&number.to_string()).expect("a number is a name");
        let mut file = Writer::new(&self.folder).file(&path)?;
        io::copy(bytes, &mut file)?;
        Ok(Located::content(&self.folder, path, size))
    }
}
