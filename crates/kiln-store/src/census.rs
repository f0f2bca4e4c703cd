//! What lies in a layout, what leads to it, and how what nothing leads to goes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::time::SystemTime;

use kiln_image::Source;
use kiln_oci::{Descriptor, Digest, Index, Manifest, media_type};

use crate::error::ErrorKind;
use crate::index::{self, MANIFEST_MAX, Naming, REF_NAME, bare};
use crate::{Error, Layout, Refused, saved};

/// How the tag begins under which something attached to an image is listed, for tools that know no referrers.
/// Source: distribution-spec, "Referrers Tag Schema"; cosign, "Signature storage".
const ATTACHED: &str = "sha256-";

/// An entry of the index.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// The manifest or index.
    pub manifest: Descriptor,
    /// What it is attached to, by its own word or by its name.
    pub subject: Option<Digest>,
    /// What a gate refused it for.
    pub refused: Option<Refused>,
}

/// A blob that is there, whatever its bytes are.
#[derive(Clone, Debug)]
pub struct Blob {
    /// What its name says.
    pub digest: Digest,
    /// Its length.
    pub size: u64,
    /// When it came.
    pub since: SystemTime,
}

/// What was removed, or would be.
#[derive(Clone, Debug, Default)]
pub struct Removed {
    /// Manifests without a name, and what is attached to them.
    pub entries: Vec<Descriptor>,
    /// Blobs that nothing leads to.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Damaged blobs that were put aside, and their bytes.
    pub damaged: (u64, u64),
}

/// What is to stay although nothing with a name leads to it.
#[derive(Clone, Copy, Debug)]
pub struct Spare {
    /// Images without a name that came later than this.
    pub unnamed_since: Option<SystemTime>,
    /// Blobs that came later than this.
    pub blobs_since: Option<SystemTime>,
}

impl Layout {
    /// Everything that the index lists.
    pub fn entries(&self) -> Result<Vec<Entry>, Error> {
        let all = index::read(self.folder())?.manifests;
        let entry = |listed: Descriptor| {
            let saved_for = saved::subject(&all, &listed);
            let name = listed.annotations.get(REF_NAME).cloned();
            let named_for = name.as_deref().and_then(attached_to).or(saved_for);
            let refused = Refused::of(&listed);
            let manifest = bare(listed);
            let subject = match named_for {
                Some(subject) => Some(subject),
                None => self.document(&manifest)?.and_then(|bytes| subject_in(&bytes)),
            };
            Ok(Entry { name, manifest, subject, refused })
        };
        all.iter().cloned().map(entry).collect()
    }

    /// Takes names away, as they are written there. Yields those that were there.
    pub fn unname(&self, names: &BTreeSet<String>) -> Result<BTreeSet<String>, Error> {
        let mut gone = BTreeSet::new();
        index::update(self.folder(), self.durability(), |index| {
            index.manifests.retain(|entry| match entry.annotations.get(REF_NAME) {
                Some(name) if names.contains(name) => {
                    gone.insert(name.clone());
                    false
                }
                _ => true,
            });
        })?;
        Ok(gone)
    }

    /// Takes manifests out of the index, whatever their names are.
    pub fn unlist(&self, manifests: &BTreeSet<Digest>) -> Result<(), Error> {
        index::update(self.folder(), self.durability(), |index| {
            index.manifests.retain(|entry| !manifests.contains(&entry.digest));
        })
    }

    /// Makes an index of the manifests that are here, without names, in place of one that cannot be read, which is put aside. Yields
    /// how many they are.
    pub fn rebuild_index(&self) -> Result<usize, Error> {
        let mut manifests = Vec::new();
        for blob in self.blobs_here()?.into_iter().filter(|blob| blob.size <= MANIFEST_MAX) {
            // Any type: only the bytes are wanted.
            let Some(bytes) = self.document(&Descriptor::new("", blob.digest, blob.size))? else { continue };
            if let Some(kind) = kind_of(&bytes) {
                manifests.push(Descriptor::new(kind, blob.digest, blob.size));
            }
        }
        let (index, damaged) = (self.folder().join("index.json"), self.damaged());
        kiln_disk::own::folder(&damaged).map_err(Error::io("create the folder", &damaged))?;
        kiln_disk::own::rename(&index, damaged.join("index.json")).map_err(Error::io("put aside", &index))?;
        let count = manifests.len();
        index::update(self.folder(), self.durability(), |index| {
            for manifest in &manifests {
                index::place(index, manifest, None, None, Naming::Written);
            }
        })?;
        Ok(count)
    }

    /// All blobs, by digest.
    pub fn blobs_here(&self) -> Result<Vec<Blob>, Error> {
        let folder = self.blobs();
        let failed = |error| Error::io("list", &folder)(error);
        let mut blobs = Vec::new();
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let Some(digest) = name.to_str().and_then(|name| format!("sha256:{name}").parse().ok()) else {
                continue;
            };
            match entry.metadata() {
                Ok(found) if found.is_file() => {
                    let since = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                    blobs.push(Blob { digest, size: found.len(), since });
                }
                _ => {}
            }
        }
        blobs.sort_by_key(|blob| blob.digest);
        Ok(blobs)
    }

    /// Everything that `root` needs, itself included; with what of it is not there, or is not as long as promised.
    pub fn needs(&self, root: &Descriptor) -> Result<(BTreeMap<Digest, u64>, BTreeSet<Digest>), Error> {
        let (mut needed, mut missing) = (BTreeMap::new(), BTreeSet::new());
        let mut next = vec![root.clone()];
        while let Some(content) = next.pop() {
            if needed.insert(content.digest, content.size).is_some() {
                continue;
            }
            match fs::symlink_metadata(self.blob_path(&content.digest)) {
                Ok(found) if found.len() == content.size => {}
                _ => {
                    missing.insert(content.digest);
                    continue;
                }
            }
            if media_type::is_manifest(&content.media_type) || media_type::is_index(&content.media_type) {
                match self.document(&content)? {
                    Some(bytes) => next.extend(children(&bytes)),
                    None => drop(missing.insert(content.digest)),
                }
            }
        }
        Ok((needed, missing))
    }

    /// Takes names and manifests out of the index, and removes what only they needed, with what is attached to them. Yields the
    /// bytes of the blobs. Nobody else may use the layout meanwhile.
    pub fn remove(&self, names: &BTreeSet<String>, manifests: &BTreeSet<Digest>) -> Result<u64, Error> {
        let entries = self.entries()?;
        let is_root = |entry: &Entry| entry.subject.is_none();
        let stays = |entry: &Entry| {
            let is_named = entry.name.as_ref().is_some_and(|name| names.contains(name));
            !is_named && !manifests.contains(&entry.manifest.digest)
        };
        let before = self.reached(&entries, is_root)?;
        let rest: Vec<Entry> = entries.iter().filter(|entry| stays(entry)).cloned().collect();
        let after = self.reached(&rest, is_root)?;
        let mut unlisted = manifests.clone();
        let lost = |entry: &&Entry| entry.subject.is_some() && before.contains(&entry.manifest.digest);
        unlisted.extend(
            rest.iter().filter(lost).map(|entry| entry.manifest.digest).filter(|d| !after.contains(d)),
        );
        self.unname(names)?;
        self.unlist(&unlisted)?;
        let going: BTreeSet<Digest> = before.difference(&after).copied().collect();
        let mut bytes = 0;
        for blob in self.blobs_here()?.into_iter().filter(|blob| going.contains(&blob.digest)) {
            self.remove_blob(&blob.digest)?;
            bytes += blob.size;
        }
        Ok(bytes)
    }

    /// Removes what no name leads to: manifests, what is attached to them, blobs, and what was put aside. Nobody else may use
    /// the layout meanwhile. With `only_look` nothing is changed.
    pub fn prune(&self, spare: Spare, only_look: bool) -> Result<Removed, Error> {
        let entries = self.entries()?;
        let blobs = self.blobs_here()?;
        let since: BTreeMap<Digest, SystemTime> =
            blobs.iter().map(|blob| (blob.digest, blob.since)).collect();
        let came_after = |digest: &Digest, limit: Option<SystemTime>| {
            limit.is_some_and(|limit| since.get(digest).is_some_and(|since| *since > limit))
        };
        // What is attached to something that is gone is no image, and goes with the blobs.
        let is_root = |entry: &Entry| match entry.subject {
            None => entry.name.is_some() || came_after(&entry.manifest.digest, spare.unnamed_since),
            Some(_) => came_after(&entry.manifest.digest, spare.blobs_since),
        };
        let kept = self.reached(&entries, is_root)?;
        let mut removed = Removed::default();
        for entry in entries.iter().filter(|entry| !kept.contains(&entry.manifest.digest)) {
            removed.entries.push(entry.manifest.clone());
        }
        let is_spared = |blob: &Blob| came_after(&blob.digest, spare.blobs_since);
        let going: Vec<&Blob> =
            blobs.iter().filter(|blob| !kept.contains(&blob.digest) && !is_spared(blob)).collect();
        removed.blobs = going.len() as u64;
        removed.bytes = going.iter().map(|blob| blob.size).sum();
        if !only_look {
            // First what leads to blobs, then the blobs: cut short, nothing leads to what is gone.
            if !removed.entries.is_empty() {
                self.unlist(&removed.entries.iter().map(|entry| entry.digest).collect())?;
            }
            for blob in going {
                self.remove_blob(&blob.digest)?;
            }
            self.sweep_notes();
        }
        removed.damaged = self.remove_damaged(only_look)?;
        Ok(removed)
    }

    /// All digests that roots lead to, with what is attached to any of them.
    fn reached(
        &self,
        entries: &[Entry],
        is_root: impl Fn(&Entry) -> bool,
    ) -> Result<BTreeSet<Digest>, Error> {
        let mut kept = BTreeSet::new();
        let mut attached: Vec<&Entry> = Vec::new();
        for entry in entries {
            if is_root(entry) {
                kept.extend(self.needs(&entry.manifest)?.0.into_keys());
            } else if entry.subject.is_some() {
                attached.push(entry);
            }
        }
        // What is attached to something attached comes a round later.
        loop {
            let is_kept = |entry: &&Entry| entry.subject.is_some_and(|subject| kept.contains(&subject));
            let (found, rest): (Vec<&Entry>, Vec<&Entry>) = attached.into_iter().partition(is_kept);
            if found.is_empty() {
                return Ok(kept);
            }
            for entry in found {
                kept.extend(self.needs(&entry.manifest)?.0.into_keys());
            }
            attached = rest;
        }
    }

    fn remove_blob(&self, digest: &Digest) -> Result<(), Error> {
        for path in [self.blob_path(digest), self.note_path(digest)] {
            match kiln_disk::own::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::io("remove", &path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Notes about blobs that are gone.
    fn sweep_notes(&self) {
        for note in fs::read_dir(self.notes()).into_iter().flatten().flatten() {
            if !self.blobs().join(note.file_name()).exists() {
                drop(kiln_disk::own::remove_file(note.path()));
            }
        }
    }

    fn remove_damaged(&self, only_look: bool) -> Result<(u64, u64), Error> {
        let (mut count, mut bytes) = (0, 0);
        for entry in fs::read_dir(self.damaged()).into_iter().flatten().flatten() {
            count += 1;
            bytes += entry.metadata().map_or(0, |found| found.len());
            if !only_look {
                let path = entry.path();
                kiln_disk::own::remove_file(&path).map_err(Error::io("remove", &path))?;
            }
        }
        Ok((count, bytes))
    }

    /// A small document; `None` where it is not here, or is not what its digest says.
    fn document(&self, content: &Descriptor) -> Result<Option<Vec<u8>>, Error> {
        if content.size > MANIFEST_MAX {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        let read = match self.open(content) {
            Ok(mut reader) => reader.read_to_end(&mut bytes),
            Err(error) if error.is_missing() => return Ok(None),
            Err(error) => return Err(error),
        };
        match read {
            Ok(_) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
            Err(source) => Err(ErrorKind::Content { digest: content.digest, source }.into()),
        }
    }
}

fn children(bytes: &[u8]) -> Vec<Descriptor> {
    let manifest = serde_json::from_slice::<Manifest>(bytes).ok();
    let of_manifest = manifest.into_iter().flat_map(|manifest| {
        let mut children = manifest.layers;
        children.push(manifest.config);
        children
    });
    let index = serde_json::from_slice::<Index>(bytes).ok();
    of_manifest.chain(index.into_iter().flat_map(|index| index.manifests)).collect()
}

/// What kind of manifest a document says it is, if it is one.
fn kind_of(bytes: &[u8]) -> Option<&'static str> {
    let manifest = serde_json::from_slice::<Manifest>(bytes).ok().and_then(|manifest| manifest.media_type);
    let index = || serde_json::from_slice::<Index>(bytes).ok().and_then(|index| index.media_type);
    let kind = manifest.or_else(index)?;
    [media_type::MANIFEST, media_type::DOCKER_MANIFEST, media_type::INDEX, media_type::DOCKER_INDEX]
        .into_iter()
        .find(|known| *known == kind)
}

fn subject_in(bytes: &[u8]) -> Option<Digest> {
    let manifest = serde_json::from_slice::<Manifest>(bytes).ok()?;
    Some(manifest.subject?.digest)
}

/// What a name says it is attached to: `repository:sha256-<hex>`, perhaps with an ending.
pub(crate) fn attached_to(name: &str) -> Option<Digest> {
    let tag = name.rsplit_once(':').map_or(name, |(_, tag)| tag);
    let hex = tag.strip_prefix(ATTACHED)?.get(..64)?;
    format!("sha256:{hex}").parse().ok()
}
