use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use kiln_disk::{Durability, Incoming, PLAIN, replace_from, resume};
use kiln_text::{Algorithm, Checksum, Hasher};

use crate::error::{Error, ErrorKind};

/// The folder of everything that is in the making.
pub(crate) const PARTIAL: &str = "partial";

/// Files by their checksum, below `<cache>/downloads`. A file is there only if it has its checksum.
pub(crate) struct Cache {
    root: PathBuf,
}

/// A file on its way into the cache.
pub(crate) struct Partial {
    file: Making,
    path: PathBuf,
}

enum Making {
    /// Under a name of its own: what has arrived of it outlives this process.
    Resumed(File),
    /// Another process is at that one; what arrives here is gone with this process.
    Own(Incoming),
}

pub(crate) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| ErrorKind::File { action, path, source }.into()
}

impl Cache {
    pub(crate) fn new(cache_dir: &Path) -> Self {
        Self { root: cache_dir.join("downloads") }
    }

    pub(crate) fn path(&self, checksum: &Checksum) -> PathBuf {
        self.root.join(checksum.algorithm().as_str()).join(checksum.hex())
    }

    /// The file, if it is here and is what its name says; what is damaged is removed.
    pub(crate) fn find(&self, checksum: &Checksum) -> Result<Option<PathBuf>, Error> {
        let path = self.path(checksum);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("open", &path)(error)),
        };
        let mut hasher = checksum.algorithm().hasher();
        hash(&mut file, &mut hasher).map_err(failed("read", &path))?;
        if hasher.finish() == *checksum {
            return Ok(Some(path));
        }
        kiln_disk::own::remove_file(&path).map_err(failed("remove the damaged file", &path))?;
        Ok(None)
    }

    /// The bytes of the file, if it is here. They are not hashed again: that is for who uses them.
    pub(crate) fn read(&self, checksum: &Checksum) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path(checksum);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", &path)(error)),
        }
    }

    /// The unfinished file for `checksum`, to be continued; a fresh one where another process is at it.
    pub(crate) fn partial(&self, checksum: &Checksum) -> Result<Partial, Error> {
        let folder = self.root.join(PARTIAL);
        kiln_disk::own::folder(&folder).map_err(failed("create", &folder))?;
        let path = folder.join(format!("{}-{}", checksum.algorithm().as_str(), checksum.hex()));
        let resumed = match resume(&path, false) {
            // Without locks nobody can tell who else is at it.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => None,
            resumed => resumed.map_err(failed("open", &path))?,
        };
        let file = match resumed {
            Some(file) => Making::Resumed(file),
            None => {
                Making::Own(Incoming::start(&folder, PLAIN).map_err(failed("create a file in", &folder))?)
            }
        };
        Ok(Partial { file, path })
    }

    /// Moves a complete file to its place.
    pub(crate) fn keep(&self, partial: Partial, checksum: &Checksum) -> Result<PathBuf, Error> {
        let path = self.path(checksum);
        let folder = self.root.join(checksum.algorithm().as_str());
        kiln_disk::own::folder(&folder).map_err(failed("create", &folder))?;
        partial.file().sync_all().map_err(failed("write", &partial.path))?;
        let moved = match partial.file {
            Making::Resumed(_) => kiln_disk::own::rename(&partial.path, &path),
            Making::Own(file) => file.replace(&path),
        };
        moved.map_err(failed("move into place", &path))?;
        Ok(path)
    }

    /// Where the last seen version of the changing document at `url` is kept.
    pub(crate) fn document(&self, url: &str) -> PathBuf {
        let mut hasher = Algorithm::Sha256.hasher();
        hasher.update(url.as_bytes());
        self.root.join("documents").join(hasher.finish().hex())
    }

    pub(crate) fn keep_document(&self, url: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.document(url);
        for folder in ["documents", PARTIAL] {
            let folder = self.root.join(folder);
            kiln_disk::own::folder(&folder).map_err(failed("create", &folder))?;
        }
        replace_from(&self.root.join(PARTIAL), &path, bytes, Durability::Process)
            .map_err(failed("write", &path))
    }
}

impl Partial {
    fn file(&self) -> &File {
        match &self.file {
            Making::Resumed(file) => file,
            Making::Own(incoming) => incoming.file(),
        }
    }

    /// Forgets what has arrived.
    pub(crate) fn clear(&mut self) -> Result<(), Error> {
        self.file().set_len(0).map_err(failed("empty", &self.path))?;
        io::Seek::rewind(&mut self.file()).map_err(failed("rewind", &self.path))
    }

    /// Takes what is already there into `hasher`; yields how much it is.
    pub(crate) fn resume(&mut self, hasher: &mut Hasher) -> Result<u64, Error> {
        io::Seek::rewind(&mut self.file()).map_err(failed("rewind", &self.path))?;
        hash(&mut self.file(), hasher).map_err(failed("read", &self.path))
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        io::Write::write_all(&mut self.file(), bytes).map_err(failed("write", &self.path))
    }
}

fn hash(file: &mut impl Read, hasher: &mut Hasher) -> io::Result<u64> {
    let mut buffer = vec![0; 1 << 16];
    let mut total = 0;
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(total);
        }
        hasher.update(&buffer[..count]);
        total += count as u64;
    }
}
