//! What makes a blob believed: its digest was right once, and the file has not been touched since.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use kiln_disk::own::symlink;
use kiln_oci::{Digest, HashingReader};

use crate::{Error, Layout, index};

/// How much of a blob is hashed at once.
const BUFFER: usize = 256 << 10;

/// Says where a damaged blob was put.
pub type OnDamage = fn(&Digest, &Path);

/// What a layout takes for granted of the blobs that it holds.
#[derive(Clone, Debug)]
pub(crate) enum Belief {
    /// Nothing: each is hashed whenever somebody asks whether it is there. The layout may be somebody else's.
    Nothing,
    /// What this machine has hashed once; notes about that lie beside the blobs.
    Checked(OnDamage),
}

/// What a blob turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It is not there.
    Missing,
    /// It is not what its name says.
    Damaged,
    /// It is what its name says, of this size.
    Right(u64),
}

/// Names a state of a file, as the text of a link: one call reads it, and it is there whole or not at all. Whoever writes to it, replaces it or brings it from elsewhere changes its time of change, which
/// nobody can set. Not the device: the same disk has another number after a restart.
fn state(metadata: &Metadata) -> String {
    let (inode, size) = (metadata.ino(), metadata.len());
    let [modified, changed] =
        [(metadata.mtime(), metadata.mtime_nsec()), (metadata.ctime(), metadata.ctime_nsec())]
            .map(|(seconds, nanoseconds)| format!("{seconds}.{nanoseconds:09}"));
    format!("inode {inode}, {size} bytes, modified {modified}, changed {changed}")
}

impl Layout {
    /// Whether the blob is there and right. One that is wrong is put aside.
    pub fn check(&self, digest: &Digest) -> Result<Condition, Error> {
        let path = self.blob_path(digest);
        let metadata = match fs::symlink_metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Condition::Missing),
            Err(error) => return Err(Error::io("look at", &path)(error)),
        };
        if self.is_remembered(digest, &metadata) {
            return Ok(Condition::Right(metadata.len()));
        }
        self.check_bytes(digest)
    }

    /// The same, whatever is remembered.
    pub fn check_bytes(&self, digest: &Digest) -> Result<Condition, Error> {
        let (condition, metadata) = self.examine(digest)?;
        match (condition, metadata) {
            (Condition::Damaged, Some(metadata)) => self.put_aside(digest, &metadata)?,
            (Condition::Right(_), Some(metadata)) => self.note(digest, &metadata),
            _ => {}
        }
        Ok(condition)
    }

    /// The same, and nothing is changed or noted.
    pub fn look_at(&self, digest: &Digest) -> Result<Condition, Error> {
        Ok(self.examine(digest)?.0)
    }

    /// Hashes a blob; with what the file was before that.
    fn examine(&self, digest: &Digest) -> Result<(Condition, Option<Metadata>), Error> {
        let path = self.blob_path(digest);
        let mut file = match kiln_disk::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Condition::Missing, None)),
            // A pipe or a folder in the place of a blob.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                return Ok((Condition::Damaged, fs::metadata(&path).ok()));
            }
            Err(error) => return Err(Error::io("open", &path)(error)),
        };
        let metadata = file.metadata().map_err(Error::io("look at", &path))?;
        let (found, size) = hash(&mut file).map_err(Error::io("read", &path))?;
        let condition = if found == *digest { Condition::Right(size) } else { Condition::Damaged };
        Ok((condition, Some(metadata)))
    }

    /// Notes that a blob which has just got its name is right.
    pub(crate) fn remember(&self, digest: &Digest) {
        if let Ok(metadata) = fs::symlink_metadata(self.blob_path(digest)) {
            self.note(digest, &metadata);
        }
    }

    fn is_remembered(&self, digest: &Digest, metadata: &Metadata) -> bool {
        let Belief::Checked(_) = self.belief() else { return false };
        fs::read_link(self.note_path(digest)).is_ok_and(|noted| noted.as_os_str() == state(metadata).as_str())
    }

    fn note(&self, digest: &Digest, metadata: &Metadata) {
        let Belief::Checked(_) = self.belief() else { return };
        let (text, path) = (state(metadata), self.note_path(digest));
        let note = || match symlink(Path::new(&text), &path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                kiln_disk::own::folder(self.notes())?;
                symlink(Path::new(&text), &path)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                kiln_disk::own::remove_file(&path)?;
                symlink(Path::new(&text), &path)
            }
            noted => noted,
        };
        // What cannot be noted is hashed again the next time.
        drop(note());
    }

    /// Moves a blob away that is not what its name says, if it still is the one that was looked at.
    fn put_aside(&self, digest: &Digest, looked_at: &Metadata) -> Result<(), Error> {
        let Belief::Checked(on_damage) = self.belief() else { return Ok(()) };
        let path = self.blob_path(digest);
        let folder = self.damaged();
        kiln_disk::own::folder(&folder).map_err(Error::io("create the folder", &folder))?;
        // Who replaces a blob that is there holds this, too.
        let _lock = index::lock(self.folder())?;
        let is_same = fs::symlink_metadata(&path).is_ok_and(|found| found.ino() == looked_at.ino());
        if is_same {
            let aside = folder.join(digest.hex());
            kiln_disk::own::rename(&path, &aside).map_err(Error::io("put aside the damaged blob", &path))?;
            drop(kiln_disk::own::remove_file(self.note_path(digest)));
            on_damage(digest, &aside);
        }
        Ok(())
    }

    /// Where damaged blobs are put.
    pub fn damaged(&self) -> PathBuf {
        self.folder().join("damaged")
    }

    /// Where it is noted which blobs were right.
    pub(crate) fn notes(&self) -> PathBuf {
        self.folder().join("checked")
    }

    pub(crate) fn note_path(&self, digest: &Digest) -> PathBuf {
        self.notes().join(digest.hex())
    }
}

/// Fails like the reader it is around; what failed because of its bytes is put aside.
pub(crate) struct Guarded<'a, R> {
    pub(crate) input: R,
    pub(crate) layout: &'a Layout,
    pub(crate) digest: Digest,
}

impl<R: Read> Read for Guarded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.input.read(buffer).inspect_err(|error| {
            if error.kind() == io::ErrorKind::InvalidData {
                // The descriptor may be what is wrong, so the blob is asked. What is said already is enough where that fails.
                drop(self.layout.check_bytes(&self.digest));
            }
        })
    }
}

fn hash(file: &mut File) -> io::Result<(Digest, u64)> {
    let mut reader = HashingReader::new(file);
    let mut buffer = vec![0; BUFFER];
    while reader.read(&mut buffer)? > 0 {}
    let (_, digest, size) = reader.finish();
    Ok((digest, size))
}
