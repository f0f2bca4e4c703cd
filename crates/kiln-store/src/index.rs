//! `index.json`: what the layout holds by name, changed by one process at a time.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use kiln_disk::{Durability, Holding, Lock};
use kiln_image::Source;
use kiln_oci::{Descriptor, Digest, Index, Manifest};

use crate::Error;
use crate::error::ErrorKind;
use crate::output::replace_in;

pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The full name of an image, for containerd and Docker.
pub(crate) const CONTAINERD_NAME: &str = "io.containerd.image.name";

/// The largest index that is read.
const INDEX_MAX: u64 = 256 << 20;
/// The largest manifest that is opened to look for its subject.
pub(crate) const MANIFEST_MAX: u64 = 4 << 20;

/// An entry of the index without what the index says of it.
pub(crate) fn bare(entry: Descriptor) -> Descriptor {
    let platform = entry.platform;
    Descriptor { platform, ..Descriptor::new(&entry.media_type, entry.digest, entry.size) }
}

/// What a manifest refers to, if it refers to anything.
pub(crate) fn subject_of<S: Source<Error = Error>>(
    source: &S,
    entry: &Descriptor,
) -> Result<Option<Digest>, Error> {
    if entry.size > MANIFEST_MAX {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    let read = source.open(entry)?.read_to_end(&mut bytes);
    read.map_err(|source| ErrorKind::Content { digest: entry.digest, source })?;
    let manifest = serde_json::from_slice::<Manifest>(&bytes).ok();
    Ok(manifest.and_then(|manifest| manifest.subject).map(|subject| subject.digest))
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
/// if nothing else lists it: it goes.
pub(crate) fn place(index: &mut Index, manifest: &Descriptor, name: Option<&str>, full_name: Option<&str>) {
    let Some(name) = name else {
        if !index.manifests.iter().any(|entry| entry.digest == manifest.digest) {
            index.manifests.push(manifest.clone());
        }
        return;
    };
    index.manifests.retain(|entry| match entry.annotations.get(REF_NAME) {
        Some(old) => old != name,
        // The name lists it from now on.
        None => entry.digest != manifest.digest,
    });
    let mut entry = manifest.clone();
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
