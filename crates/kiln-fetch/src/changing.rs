//! Large documents that change and have no checksum: kept by address, asked for only when changed, resumed by their tag.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::http::header::{HeaderName, IF_NONE_MATCH, IF_RANGE};
use kiln_disk::{Durability, Incoming, PLAIN, replace_from, resume};

use crate::cache::{PARTIAL, failed};
use crate::client::Answer;
use crate::download::Downloader;
use crate::error::{Error, ErrorKind};
use crate::url;

impl Downloader {
    /// Where the document at `url` lies on this machine, after asking the server for what is new; at most `cap` bytes.
    ///
    /// What has arrived before is not asked for again: neither a whole document that has not changed, nor the part of one that
    /// came before the connection broke or the process was killed. Offline it is the version that was seen last.
    pub fn changing(&self, url: &str, cap: u64) -> Result<PathBuf, Error> {
        let kept = Kept::at(self.cache.document(url));
        if self.options.offline {
            let missing = || ErrorKind::Offline { missing: vec![url::shown(url)] };
            return if kept.path.exists() { Ok(kept.path) } else { Err(missing().into()) };
        }
        let part = kept.lock()?;
        self.retry(|| self.ask_for_changes(url, cap, &kept, &part))?;
        Ok(kept.path)
    }

    fn ask_for_changes(&self, url: &str, cap: u64, kept: &Kept, part: &File) -> Result<(), Error> {
        let arrived = part.metadata().map_err(failed("read", &kept.part))?.len();
        let tag = read_tag(&kept.part);
        let answer = if let (Some(tag), 1..) = (&tag, arrived) {
            self.client.get_with(url, arrived, &[(IF_RANGE, tag)])
        } else {
            let whole = kept.path.exists().then(|| read_tag(&kept.path)).flatten();
            let unless: Vec<(HeaderName, &str)> =
                whole.iter().map(|tag| (IF_NONE_MATCH, tag.as_str())).collect();
            self.client.get_with(url, 0, &unless)
        };
        match answer {
            Ok(answer) => receive(answer, url, cap, kept, part),
            Err(error) if matches!(error.kind(), ErrorKind::Status { status: 304, .. }) => Ok(()),
            Err(error) if arrived > 0 && error.is_about_range() => {
                part.set_len(0).map_err(failed("empty", &kept.part))?;
                self.ask_for_changes(url, cap, kept, part)
            }
            Err(error) => Err(error),
        }
    }
}

fn receive(answer: Answer, url: &str, cap: u64, kept: &Kept, mut part: &File) -> Result<(), Error> {
    part.set_len(answer.offset).map_err(failed("empty", &kept.part))?;
    write_tag(&kept.part, answer.tag.as_deref())?;
    let mut body = answer.body;
    let mut buffer = vec![0; 1 << 16];
    let mut received = answer.offset;
    loop {
        let broken = |source| ErrorKind::Broken { url: url::shown(url), received, source };
        let count = body.read(&mut buffer).map_err(broken)?;
        if count == 0 {
            break;
        }
        received += count as u64;
        if received > cap {
            part.set_len(0).map_err(failed("empty", &kept.part))?;
            return Err(ErrorKind::TooLarge { url: url::shown(url), cap }.into());
        }
        part.write_all(&buffer[..count]).map_err(failed("write", &kept.part))?;
    }
    let promised = answer.length.map(|length| length + answer.offset);
    if promised.is_some_and(|promised| promised != received) {
        let source = io::ErrorKind::UnexpectedEof.into();
        return Err(ErrorKind::Broken { url: url::shown(url), received, source }.into());
    }
    kept.finish(part)
}

/// A document, its tag, and the part of a newer one that has arrived.
struct Kept {
    path: PathBuf,
    part: PathBuf,
}

impl Kept {
    fn at(path: PathBuf) -> Self {
        let part = path.with_extension("part");
        Self { path, part }
    }

    /// The part, which no other process writes while it is held. Appending only, so that its length is what has arrived.
    fn lock(&self) -> Result<File, Error> {
        for folder in [folder_of(&self.path), making(&self.path)] {
            kiln_disk::own::folder(&folder).map_err(failed("create", &folder))?;
        }
        let part = resume(&self.part, true).map_err(failed("open", &self.part))?;
        Ok(part.expect("whoever waits for it gets it"))
    }

    /// Copies the part over the document; the part stays, empty, for who waits for its lock.
    fn finish(&self, part: &File) -> Result<(), Error> {
        part.sync_all().map_err(failed("write", &self.part))?;
        let written = || {
            let copy = Incoming::start(&making(&self.path), PLAIN)?;
            io::copy(&mut File::open(&self.part)?, &mut copy.file())?;
            Ok(copy)
        };
        let copy = written().map_err(failed("write", &self.path))?;
        let tag = read_tag(&self.part);
        // A tag without its document is asked about again; a document with the tag of another would never be.
        write_tag(&self.path, None)?;
        copy.replace(&self.path).map_err(failed("move into place", &self.path))?;
        write_tag(&self.path, tag.as_deref())?;
        part.set_len(0).map_err(failed("empty", &self.part))
    }
}

fn folder_of(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new(".")).to_owned()
}

/// Where documents are in the making: beside their folder.
fn making(document: &Path) -> PathBuf {
    folder_of(document).with_file_name(PARTIAL)
}

fn read_tag(of: &Path) -> Option<String> {
    fs::read_to_string(tag_path(of)).ok().filter(|tag| !tag.is_empty())
}

fn write_tag(of: &Path, tag: Option<&str>) -> Result<(), Error> {
    let path = tag_path(of);
    let tag = tag.unwrap_or_default();
    replace_from(&making(of), &path, tag.as_bytes(), Durability::Process).map_err(failed("write", &path))
}

fn tag_path(of: &Path) -> PathBuf {
    let mut name = of.as_os_str().to_owned();
    name.push(".tag");
    name.into()
}
