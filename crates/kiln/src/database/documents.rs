//! Files, folders and archives of feeds, one document after the other. Nothing is unpacked to disk.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use kiln_finding::{Class, Failure};
use kiln_proof::advisories::failed;
use kiln_vuln::Date;
use zip::ZipArchive;

/// Most bytes of one document after unpacking.
const DOCUMENT_MAX: u64 = 1 << 30;
/// Most bytes of all documents; what is packed to unpack to more is no feed.
const TOTAL_MAX: u64 = 32 << 30;
/// What a packed file may unpack to, in bytes: so much, and so many times its own size, in one document and in all. Feeds pack to a
/// tenth; what packs to far less is made to fill memory.
const UNPACKED: u64 = 16 << 20;
const TIMES_OF_ONE: u64 = 50;
const TIMES_OF_ALL: u64 = 200;
/// Most documents. All of OSV has a fifth.
const COUNT_MAX: u64 = 5_000_000;
/// Most archives around each other.
const DEPTH_MAX: usize = 3;

const ZIP: &[u8] = b"PK\x03\x04";
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// Of a tar header. Source: tar(5), "POSIX ustar archives".
const TAR: (usize, &[u8]) = (257, b"ustar");
const TAR_BLOCK: usize = 512;

/// One document.
pub(crate) struct Document<'a> {
    /// Its path, with that of the archives it is in.
    pub(crate) name: &'a str,
    pub(crate) bytes: &'a [u8],
    /// When its file was last changed.
    pub(crate) date: Option<Date>,
    /// It was named itself, not found in a folder or an archive.
    pub(crate) is_named: bool,
}

type Take<'t> = dyn FnMut(&Document<'_>) -> Result<(), Failure> + 't;

/// Walks through documents and counts what it has seen.
pub(crate) struct Documents<'t> {
    take: &'t mut Take<'t>,
    count: u64,
    total: u64,
    /// What one document, and all of them, may have, by the size of the file that they come from.
    one_max: u64,
    all_max: u64,
}

/// What is known of a place while it is walked through.
#[derive(Clone)]
struct At {
    name: String,
    date: Option<Date>,
    is_named: bool,
    depth: usize,
}

impl At {
    fn inside(&self, name: &str) -> Result<Self, Failure> {
        let inner = Self {
            name: format!("{}/{name}", self.name),
            is_named: false,
            depth: self.depth + 1,
            date: self.date,
        };
        if inner.depth > DEPTH_MAX {
            Err(refused(&inner.name, "too many archives are inside each other"))
        } else {
            Ok(inner)
        }
    }
}

impl<'t> Documents<'t> {
    /// Gives every document of `paths` to `take`, those of folders in the order of their names.
    pub(crate) fn each(paths: &[PathBuf], take: &'t mut Take<'t>) -> Result<(), Failure> {
        let mut documents = Self::new(take);
        paths.iter().try_for_each(|path| documents.path(path, true))
    }

    /// The same of a file that is known by another name.
    pub(crate) fn of_file(
        name: &str,
        file: File,
        date: Option<Date>,
        take: &'t mut Take<'t>,
    ) -> Result<(), Failure> {
        let at = At { name: name.to_owned(), date, is_named: true, depth: 0 };
        let metadata = file.metadata().map_err(|error| unreadable(&at, &error))?;
        let mut documents = Self::new(take);
        documents.bound(&metadata);
        documents.content(&at, file)
    }

    fn new(take: &'t mut Take<'t>) -> Self {
        Self { take, count: 0, total: 0, one_max: DOCUMENT_MAX, all_max: TOTAL_MAX }
    }

    /// What may come out of a file. A pipe has no size of its own.
    fn bound(&mut self, file: &fs::Metadata) {
        let size = if file.is_file() { file.len() } else { DOCUMENT_MAX };
        let times = |times: u64| UNPACKED.saturating_add(size.saturating_mul(times));
        self.one_max = times(TIMES_OF_ONE).min(DOCUMENT_MAX);
        self.all_max = self.total.saturating_add(times(TIMES_OF_ALL)).min(TOTAL_MAX);
    }

    fn path(&mut self, path: &Path, is_named: bool) -> Result<(), Failure> {
        let metadata = fs::metadata(path).map_err(|error| failed("read", path, &error))?;
        if metadata.is_dir() {
            let entries = fs::read_dir(path).map_err(|error| failed("list", path, &error))?;
            let mut paths = Vec::new();
            for entry in entries {
                paths.push(entry.map_err(|error| failed("list", path, &error))?.path());
            }
            paths.sort();
            return paths.iter().try_for_each(|path| self.path(path, false));
        }
        let file = File::open(path).map_err(|error| failed("open", path, &error))?;
        self.bound(&metadata);
        let modified =
            metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let date = modified.map(|since| Date::from_unix(since.as_secs()));
        self.content(&At { name: path.display().to_string(), date, is_named, depth: 0 }, file)
    }

    fn content(&mut self, at: &At, file: impl Read + Seek) -> Result<(), Failure> {
        let mut reader = BufReader::with_capacity(1 << 16, file);
        let start = reader.fill_buf().map_err(|error| unreadable(at, &error))?;
        if start.starts_with(ZIP) {
            return self.zip(at, reader);
        }
        self.stream(at, &mut reader)
    }

    fn zip(&mut self, at: &At, reader: impl Read + Seek) -> Result<(), Failure> {
        let broken = |error: zip::result::ZipError| unreadable(at, &error);
        let mut archive = ZipArchive::new(reader).map_err(broken)?;
        for index in 0..archive.len() {
            let entry = archive.by_index(index).map_err(broken)?;
            if entry.is_file() {
                let inside = at.inside(&entry.name().map_err(broken)?)?;
                self.stream(&inside, &mut BufReader::new(entry))?;
            }
        }
        Ok(())
    }

    /// What comes out of `reader`: packed, a tar archive, or a document.
    fn stream(&mut self, at: &At, reader: &mut dyn BufRead) -> Result<(), Failure> {
        let start = reader.fill_buf().map_err(|error| unreadable(at, &error))?;
        let packed = At { depth: at.depth + 1, ..at.clone() };
        if at.depth > DEPTH_MAX {
            return Err(refused(&at.name, "too many archives are inside each other"));
        }
        if start.starts_with(GZIP) {
            return self.stream(&packed, &mut BufReader::new(MultiGzDecoder::new(reader)));
        }
        if start.starts_with(ZSTD) {
            let decoder = zstd::Decoder::with_buffer(reader).map_err(|error| unreadable(at, &error))?;
            return self.stream(&packed, &mut BufReader::new(decoder));
        }
        let mut head = Vec::new();
        reader.take(TAR_BLOCK as u64).read_to_end(&mut head).map_err(|error| unreadable(at, &error))?;
        let is_tar = head.get(TAR.0..).is_some_and(|rest| rest.starts_with(TAR.1));
        let mut whole = Cursor::new(head).chain(reader);
        if is_tar { self.tar(at, &mut whole) } else { self.document(at, &mut whole) }
    }

    fn tar(&mut self, at: &At, reader: &mut dyn Read) -> Result<(), Failure> {
        let mut archive = tar::Archive::new(reader);
        for entry in archive.entries().map_err(|error| unreadable(at, &error))? {
            let entry = entry.map_err(|error| unreadable(at, &error))?;
            if entry.header().entry_type().is_file() {
                let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
                self.stream(&at.inside(&name)?, &mut BufReader::new(entry))?;
            }
        }
        Ok(())
    }

    fn document(&mut self, at: &At, reader: &mut dyn Read) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        // Sizes in archives are promises; what comes is counted.
        let read = reader.take(self.one_max + 1).read_to_end(&mut bytes);
        read.map_err(|error| unreadable(at, &error))?;
        self.count += 1;
        self.total += bytes.len() as u64;
        if bytes.len() as u64 > self.one_max || self.total > self.all_max || self.count > COUNT_MAX {
            return Err(refused(&at.name, "it unpacks to more than any feed has"));
        }
        (self.take)(&Document { name: &at.name, bytes: &bytes, date: at.date, is_named: at.is_named })
    }
}

fn refused(name: &str, why: &str) -> Failure {
    Failure::new("db.feed", Class::Content, format!("read the advisory feed {name}: {why}"))
}

fn unreadable(at: &At, error: &dyn std::fmt::Display) -> Failure {
    let failure = Failure::new("db.feed", Class::Content, format!("read the advisory feed {}", at.name));
    failure.with_cause(error.to_string())
}
