use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use kiln_disk::{Dir, Located, Writer};
use kiln_rootfs::{Content, RootPath};

/// Files no larger than this are held in memory, where each would cost the disk more than its bytes; as long as all of them have no
/// more than [`HELD_MAX`].
const SMALL: u64 = 16 << 10;
const HELD_MAX: u64 = 32 << 20;

/// A folder that takes the files of an archive or a layer, under numbers.
pub(crate) struct Spool {
    folder: Dir,
    next: AtomicU64,
    /// Bytes that are held in memory.
    held: AtomicU64,
}

impl Spool {
    /// Puts files into `folder`, which must be empty.
    pub(crate) fn new(folder: Dir) -> Self {
        Self { folder, next: AtomicU64::new(0), held: AtomicU64::new(0) }
    }

    /// Keeps bytes, which are read to their end; `size` is how many they must be.
    pub(crate) fn keep(&self, size: u64, bytes: &mut dyn Read) -> io::Result<Content> {
        if size <= SMALL && self.held.fetch_add(size, Ordering::Relaxed) + size <= HELD_MAX {
            let mut small = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
            bytes.read_to_end(&mut small)?;
            return Ok(Content::Bytes(small.into()));
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let path = RootPath::new(&number.to_string()).expect("a number is a name");
        let mut file = Writer::new(&self.folder).file(&path)?;
        io::copy(bytes, &mut file)?;
        Ok(Located::content(&self.folder, path, size))
    }
}
