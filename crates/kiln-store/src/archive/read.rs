mod docker;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use kiln_image::{DOCUMENT_MAX, Listed, Source};
use kiln_oci::{Descriptor, Digest, Index};
use kiln_rootfs::{EntryKind, LayerReader, Limits, RootPath, decompress};

use super::{DOCKER, INDEX, LAYOUT_MARKER, blob_name};
use crate::Error;
use crate::census::attached_to;
use crate::checked::CheckedReader;
use crate::error::ErrorKind;
use crate::index::{self, CONTAINERD_NAME, REF_NAME, bare, fallback_tag};

/// How many files an archive may hold. Each layer of an old one is a folder of three.
const MEMBERS_MAX: u64 = 100_000;
/// The largest archive that is unpacked from its compression.
const BYTES_MAX: u64 = 64 << 30;

/// Images in one tar file, read where they lie: an OCI layout, or what `docker save` writes.
#[derive(Debug)]
pub struct Archive {
    tar: Tar,
    images: Images,
}

/// The images of an archive.
#[derive(Debug, Default)]
pub(super) struct Images {
    /// Each with its names.
    pub(super) named: Vec<(Vec<String>, Descriptor)>,
    /// Content that lies elsewhere than a layout has it.
    pub(super) blobs: BTreeMap<Digest, Member>,
    /// Content that the archive lacks and that was made from what it has.
    pub(super) documents: BTreeMap<Digest, Vec<u8>>,
}

/// A plain tar file and what it holds.
#[derive(Debug)]
pub(super) struct Tar {
    path: PathBuf,
    file: File,
    members: BTreeMap<String, Member>,
}

/// Where a file of the archive lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    offset: u64,
    pub(super) size: u64,
}

impl Archive {
    /// Opens the archive at `path`. One that is compressed is unpacked into an unnamed file in `spool` first.
    pub fn open(path: &Path, spool: &Path) -> Result<Self, Error> {
        let failed = Error::io("open the archive", path);
        let mut file = File::open(path).map_err(failed)?;
        let mut start = [0; 4];
        let count = file.read_at(&mut start, 0).map_err(Error::io("read", path))?;
        let is_packed =
            start[..count].starts_with(&[0x1f, 0x8b]) || start[..count] == [0x28, 0xb5, 0x2f, 0xfd];
        if is_packed {
            let bytes = decompress(file).map_err(Error::io("read", path))?;
            file = spooled(&mut bytes.take(BYTES_MAX), spool)?;
        }
        Self::read(path, file)
    }

    /// Takes in an archive as it comes, into an unnamed file in `spool`; `called` is its name in messages.
    pub fn take(called: &Path, bytes: &mut dyn Read, spool: &Path) -> Result<Self, Error> {
        Self::read(called, spooled(bytes, spool)?)
    }

    fn read(path: &Path, file: File) -> Result<Self, Error> {
        let tar = Tar::read(path, file)?;
        let images = if tar.members.contains_key(LAYOUT_MARKER) && tar.members.contains_key(INDEX) {
            of_layout(&tar)?
        } else if tar.members.contains_key(DOCKER) {
            docker::images(&tar, &tar.document(DOCKER)?)?
        } else {
            return Err(
                tar.unfit("is no archive of images: it has neither oci-layout nor manifest.json".to_owned())
            );
        };
        Ok(Self { tar, images })
    }

    /// The images with a name or, where none has one, all; each with its names. What a name says is attached to an image is none.
    pub fn images(&self) -> impl Iterator<Item = (&[String], &Descriptor)> {
        let is_image =
            |names: &[String]| names.is_empty() || names.iter().any(|name| attached_to(name).is_none());
        let images = self.images.named.iter().filter(move |(names, _)| is_image(names));
        let has_names = images.clone().any(|(names, _)| !names.is_empty());
        let shown = images.filter(move |(names, _)| !has_names || !names.is_empty());
        shown.map(|(names, descriptor)| (names.as_slice(), descriptor))
    }
}

/// What the index of a layout lists.
fn of_layout(tar: &Tar) -> Result<Images, Error> {
    let index: Index =
        serde_json::from_slice(&tar.document(INDEX)?).map_err(|source| tar.malformed(source))?;
    let named = index.manifests.into_iter().map(|entry| {
        let names = [REF_NAME, CONTAINERD_NAME].iter().filter_map(|key| entry.annotations.get(*key).cloned());
        (names.collect(), bare(entry))
    });
    Ok(Images { named: named.collect(), ..Images::default() })
}

/// A copy without a name, gone with the process.
fn spooled(bytes: &mut dyn Read, spool: &Path) -> Result<File, Error> {
    let failed = |source| Error::io("write to", spool)(source);
    kiln_disk::own::folder(spool).map_err(failed)?;
    let mut file = tempfile::tempfile_in(spool).map_err(failed)?;
    io::copy(bytes, &mut file).map_err(failed)?;
    file.rewind().map_err(failed)?;
    Ok(file)
}

impl Tar {
    /// Notes where everything lies. Links lead to what they name: older archives hold a layer once and link to it.
    fn read(path: &Path, file: File) -> Result<Self, Error> {
        let mut tar = Self { path: path.to_owned(), file, members: BTreeMap::new() };
        let mut links: Vec<(String, RootPath)> = Vec::new();
        let limits = Limits { entries: MEMBERS_MAX, bytes: BYTES_MAX };
        let mut reader = LayerReader::new(BufReader::with_capacity(256 << 10, &tar.file), limits);
        let failed = |source| Error::from(ErrorKind::ReadArchive { path: path.to_owned(), source });
        let mut members = BTreeMap::new();
        while let Some(entry) = reader.next_entry().map_err(failed)? {
            let name = entry.path.to_string();
            match entry.kind {
                EntryKind::File => {
                    members.insert(name, Member { offset: reader.position(), size: entry.size });
                }
                EntryKind::Hardlink(target) => links.push((name, target)),
                EntryKind::Symlink(target) => {
                    let parent = entry.path.parent().unwrap_or(RootPath::ROOT);
                    links.extend(RootPath::clamped(&format!("{parent}/{target}")).ok().map(|to| (name, to)));
                }
                _ => {}
            }
        }
        for (name, target) in links {
            if let Some(member) = members.get(target.as_str()).copied() {
                members.entry(name).or_insert(member);
            }
        }
        tar.members = members;
        Ok(tar)
    }

    pub(super) fn member(&self, name: &str) -> Result<Member, Error> {
        let plain = RootPath::normalise(name).map(|path| path.to_string()).unwrap_or_default();
        let missing = || self.unfit(format!("lists {name:?}, which it does not hold"));
        self.members.get(&plain).copied().ok_or_else(missing)
    }

    pub(super) fn open(&self, member: Member) -> impl Read + Send + '_ {
        Window { file: &self.file, offset: member.offset, left: member.size }
    }

    /// A small file, whole.
    pub(super) fn document(&self, name: &str) -> Result<Vec<u8>, Error> {
        let member = self.member(name)?;
        if member.size > DOCUMENT_MAX {
            return Err(self.unfit(format!("holds a {name:?} of more than {DOCUMENT_MAX} bytes")));
        }
        let mut bytes = Vec::new();
        self.open(member).read_to_end(&mut bytes).map_err(|source| self.failed(source))?;
        Ok(bytes)
    }

    pub(super) fn unfit(&self, why: String) -> Error {
        ErrorKind::UnfitArchive { path: self.path.clone(), why }.into()
    }

    pub(super) fn malformed(&self, source: serde_json::Error) -> Error {
        ErrorKind::Malformed { path: self.path.clone(), source }.into()
    }

    pub(super) fn failed(&self, source: io::Error) -> Error {
        Error::io("read", &self.path)(source)
    }
}

/// A part of a file; several may be read at the same time.
struct Window<'a> {
    file: &'a File,
    offset: u64,
    left: u64,
}

impl Read for Window<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let want = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let count = self.file.read_at(&mut buffer[..want], self.offset)?;
        self.offset += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}

impl Source for Archive {
    type Error = Error;

    fn resolve(&self, tag: &str) -> Result<Option<Descriptor>, Error> {
        let wanted = tag.parse::<Digest>().ok();
        let found = self.images.named.iter().find(|(names, descriptor)| {
            wanted.map_or_else(|| names.iter().any(|name| name == tag), |digest| descriptor.digest == digest)
        });
        Ok(found.map(|(_, descriptor)| descriptor.clone()))
    }

    fn open(&self, content: &Descriptor) -> Result<Box<dyn Read + Send + '_>, Error> {
        let digest = &content.digest;
        if let Some(bytes) = self.images.documents.get(digest) {
            return Ok(Box::new(CheckedReader::new(&bytes[..], content)));
        }
        let member = self.images.blobs.get(digest).or_else(|| self.tar.members.get(&blob_name(digest)));
        let member = *member.ok_or(ErrorKind::Missing(*digest))?;
        Ok(Box::new(CheckedReader::new(self.tar.open(member), content)))
    }

    fn referrers(&self, digest: &Digest) -> Result<Listed, Error> {
        let named = &self.images.named;
        let unnamed = named.iter().filter(|(names, _)| names.is_empty()).map(|(_, entry)| entry);
        let tag = fallback_tag(digest);
        let list = named.iter().find(|(names, _)| names.contains(&tag)).map(|(_, entry)| entry);
        Ok(index::referrers(self, unnamed, list, digest))
    }
}
