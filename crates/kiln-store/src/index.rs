//! `index.json`: what the layout holds by name, changed by one process at a time.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use kiln_disk::{Durability, Holding, Lock};
use kiln_finding::Failure;
use kiln_image::{DOCUMENT_MAX, Listed, Source};
use kiln_oci::{Descriptor, Digest, Index, Listing, Manifest, media_type, normal_image};
use serde::Deserialize;

use crate::Error;
use crate::error::ErrorKind;
use crate::output::replace_in;

pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The full name of an image, for containerd and Docker.
pub(crate) const CONTAINERD_NAME: &str = "io.containerd.image.name";

/// What makes two names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// Their letters: names of a layout are tags, whatever they look like.
    Written,
    /// What they stand for: names of kiln's own store are those of images, in any spelling.
    Images,
}

impl Naming {
    pub(crate) fn are_one(self, one: &str, other: &str) -> bool {
        let normal = || normal_image(one).is_some_and(|one| normal_image(other) == Some(one));
        one == other || self == Self::Images && normal()
    }
}

/// The largest index that is read.
const INDEX_MAX: u64 = 256 << 20;
/// The largest manifest that is opened to look for its subject.
pub(crate) const MANIFEST_MAX: u64 = 4 << 20;

/// An entry of the index without what the index says of it.
pub(crate) fn bare(entry: Descriptor) -> Descriptor {
    let platform = entry.platform;
    Descriptor { platform, ..Descriptor::new(&entry.media_type, entry.digest, entry.size) }
}

/// The tag under which what refers to `subject` is listed for tools that know no referrers.
/// Source: distribution-spec, "Referrers Tag Schema".
pub(crate) fn fallback_tag(subject: &Digest) -> String {
    format!("sha256-{}", subject.hex())
}

/// What refers to `subject`: of the entries without a name, those that say so themselves; and what the list under the fallback tag has
/// besides. Other tools keep only that.
pub(crate) fn referrers<'a, S: Source<Error = Error>>(
    source: &S,
    unnamed: impl Iterator<Item = &'a Descriptor>,
    list: Option<&Descriptor>,
    subject: &Digest,
) -> Listed {
    let mut all = Listed::default();
    for entry in unnamed.filter(|entry| entry.size <= MANIFEST_MAX) {
        match read_whole(source, entry) {
            Ok(bytes) => all.found.extend(referrer(&bytes, entry, subject)),
            Err(error) => all.unknown.push(Failure::from(error).told()),
        }
    }
    let mut known: BTreeSet<Digest> = all.found.iter().map(|entry| entry.digest).collect();
    match list.map_or_else(|| Ok(Listing::default()), |list| listed(source, list)) {
        Ok(Listing { manifests, odd }) => {
            all.found.extend(manifests.into_iter().filter(|entry| known.insert(entry.digest)));
            let of_list = |why| format!("of what {} lists, {why}", fallback_tag(subject));
            all.unknown.extend(odd.into_iter().map(of_list));
        }
        Err(why) => all.unknown.push(format!("{}: {why}", fallback_tag(subject))),
    }
    all
}

/// The entries of a list; none where it is an image. Why they are not known, where it is no list that is understood.
fn listed<S: Source<Error = Error>>(source: &S, list: &Descriptor) -> Result<Listing, String> {
    if !media_type::is_index(&list.media_type) {
        return Ok(Listing::default());
    }
    if list.size > DOCUMENT_MAX {
        return Err(format!("{} bytes are more than may be read", list.size));
    }
    let bytes = read_whole(source, list).map_err(|error| Failure::from(error).told())?;
    Listing::read(&bytes).map_err(|error| format!("it is no list that is understood: {error}"))
}

fn read_whole<S: Source<Error = Error>>(source: &S, content: &Descriptor) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = source.open(content)?.read_to_end(&mut bytes);
    read.map_err(|source| ErrorKind::Content { digest: content.digest, source })?;
    Ok(bytes)
}

/// The one thing of a manifest that tells whether it matters.
#[derive(Deserialize)]
struct Subject {
    subject: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    digest: String,
}

/// The entry of a manifest that refers to `subject`, with what the manifest says of itself; `None` of any other. One that is not
/// understood but for its subject is such an entry, too: whoever opens it will say why.
fn referrer(bytes: &[u8], entry: &Descriptor, subject: &Digest) -> Option<Descriptor> {
    let named = serde_json::from_slice::<Subject>(bytes).ok()?.subject?;
    if named.digest != subject.to_string() {
        return None;
    }
    let entry = bare(entry.clone());
    Some(match serde_json::from_slice::<Manifest>(bytes) {
        Ok(manifest) => Descriptor {
            artifact_type: Some(manifest.artifact_type.unwrap_or(manifest.config.media_type)),
            annotations: manifest.annotations,
            ..entry
        },
        Err(_) => entry,
    })
}

pub(crate) fn read(folder: &Path) -> Result<Index, Error> {
    let path = folder.join("index.json");
    let bytes = kiln_disk::read(&path, INDEX_MAX).map_err(Error::io("read", &path))?;
    parse(path, &bytes)
}

fn parse(path: PathBuf, bytes: &[u8]) -> Result<Index, Error> {
    serde_json::from_slice(bytes).map_err(|source| ErrorKind::Malformed { path, source }.into())
}

/// Changes the index while no other process does.
pub(crate) fn update(
    folder: &Path,
    durability: Durability,
    change: impl FnOnce(&mut Index),
) -> Result<(), Error> {
    let path = folder.join("index.json");
    let _lock = lock(folder)?;
    let old = match kiln_disk::read(&path, INDEX_MAX) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(Error::io("read", &path)(error)),
    };
    let mut index = old.as_ref().map_or_else(|| Ok(Index::default()), |bytes| parse(path.clone(), bytes))?;
    change(&mut index);
    let new = index.to_bytes();
    if old.as_ref() == Some(&new) {
        return Ok(());
    }
    replace_in(folder, &path, &new, durability)
}

/// Held while the index, or a blob that is there already, is changed.
pub(crate) fn lock(folder: &Path) -> Result<Lock, Error> {
    let path = folder.join(".lock");
    Lock::wait(&path, Holding::Alone).map_err(Error::io("lock", &path))
}

/// Points `name` at `manifest`, or lists it without a name. What had the name keeps its place without one only
/// if nothing else lists it: it goes. What others say of the manifest stays behind: among its annotations may be a name.
pub(crate) fn place(
    index: &mut Index,
    manifest: &Descriptor,
    name: Option<&str>,
    full_name: Option<&str>,
    naming: Naming,
) {
    let manifest = bare(manifest.clone());
    let Some(name) = name else {
        if !index.manifests.iter().any(|entry| entry.digest == manifest.digest) {
            index.manifests.push(manifest);
        }
        return;
    };
    index.manifests.retain(|entry| match entry.annotations.get(REF_NAME) {
        Some(old) => !naming.are_one(old, name),
        // The name lists it from now on.
        None => entry.digest != manifest.digest,
    });
    let mut entry = manifest;
    entry.annotations.insert(REF_NAME.to_owned(), name.to_owned());
    if let Some(full_name) = full_name {
        entry.annotations.insert(CONTAINERD_NAME.to_owned(), full_name.to_owned());
    }
    index.manifests.push(entry);
    index.manifests.sort_by(|a, b| {
        let key = |entry: &Descriptor| (entry.annotations.get(REF_NAME).cloned(), entry.digest);
        // Named entries first: `None` sorts before names, so the halves are swapped.
        key(a).0.is_none().cmp(&key(b).0.is_none()).then_with(|| key(a).cmp(&key(b)))
    });
}
