use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use crate::Incoming;
use crate::incoming::folder_of;

/// What files are made with; the umask takes away from it.
pub const PLAIN: u32 = 0o666;
/// What files are made with that only their owner may read.
pub const PRIVATE: u32 = 0o600;

/// What a file outlives besides the end of this process, at any moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Nothing more: the disk gets it when the system sees fit.
    Process,
    /// A power failure. Many file systems write everything that was written before along with it, and the writer waits.
    Power,
}

/// Writes a file so that readers see the old or the new one, whole.
pub fn replace(path: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
    written(folder_of(path), bytes, PLAIN, durability)?.replace(path)
}

/// The same, made in `folder`, which is on the same file system: for folders of so many files that what killed processes
/// left there could not be found in good time.
pub fn replace_from(folder: &Path, path: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
    written(folder, bytes, PLAIN, durability)?.replace(path)
}

/// Writes a file that is not there yet, for good; it appears whole, with exactly this mode or less, or not at all.
pub fn create(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let folder = folder_of(path);
    written(folder, bytes, mode, Durability::Power)?.appear(path)?;
    // The name, too. A file system that cannot do that says so here, and has the file.
    drop(File::open(folder).and_then(|folder| folder.sync_all()));
    Ok(())
}

fn written(folder: &Path, bytes: &[u8], mode: u32, durability: Durability) -> io::Result<Incoming> {
    let mut incoming = Incoming::start(folder, mode)?;
    incoming.write_all(bytes)?;
    if durability == Durability::Power {
        incoming.file().sync_all()?;
    }
    Ok(incoming)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_private_is_so_and_goes_through_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let (key, elsewhere) = (folder.path().join("key"), folder.path().join("elsewhere"));
        std::os::unix::fs::symlink(&elsewhere, &key).unwrap();
        assert_eq!(create(&key, b"secret", PRIVATE).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert!(!elsewhere.exists());
        fs::remove_file(&key).unwrap();
        create(&key, b"secret", PRIVATE).unwrap();
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(create(&key, b"other", PRIVATE).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&key).unwrap(), b"secret");
    }

    #[test]
    fn the_new_file_takes_the_place_of_the_old() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for (text, durability) in [("one", Durability::Process), ("two", Durability::Power)] {
            replace(&path, text.as_bytes(), durability).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
