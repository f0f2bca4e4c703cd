use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use kiln_image::Sink;
use kiln_oci::{Descriptor, Digest, HashingReader, Index, Manifest, media_type};
use kiln_rootfs::{RootPath, TarWriter};
use serde_json::json;

use super::{DOCKER, INDEX, LAYOUT_MARKER, blob_name};
use crate::Error;
use crate::error::ErrorKind;
use crate::index::{Naming, place};

/// What an archive is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArchiveForm {
    /// An OCI layout, with everything that an index and its referrers hold.
    Oci,
    /// One image that `docker load` takes, old or new, under `repository:tag`, and that reads as an OCI layout too:
    /// `manifest.json` and `index.json` point to the same blobs (what `docker save` has written since Docker 25).
    Docker(String),
}

/// Takes images in and writes them as one archive, as they come. The same images in the same order give the same bytes.
///
/// Nothing is written twice and nothing can be taken back: content that is not what its digest says ends the archive.
pub struct ArchiveSink<W: Write> {
    form: ArchiveForm,
    state: Mutex<State<W>>,
}

struct State<W: Write> {
    /// `None` once something went wrong.
    tar: Option<TarWriter<W>>,
    has: BTreeSet<Digest>,
    manifests: BTreeMap<Digest, Manifest>,
    index: Index,
}

impl<W: Write> ArchiveSink<W> {
    /// Starts an archive.
    pub fn new(output: W, form: ArchiveForm) -> Result<Self, Error> {
        let mut tar = TarWriter::new(output, 0);
        write(&mut tar, LAYOUT_MARKER, br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        let state = State {
            tar: Some(tar),
            has: BTreeSet::new(),
            manifests: BTreeMap::new(),
            index: Index::default(),
        };
        Ok(Self { form, state: Mutex::new(state) })
    }

    /// Ends the archive and gives the output back.
    pub fn finish(self) -> Result<W, Error> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut tar = state.tar.ok_or(ErrorKind::BrokenArchive)?;
        write(&mut tar, INDEX, &state.index.to_bytes())?;
        if let ArchiveForm::Docker(name) = &self.form {
            let images = state.index.manifests.iter().filter_map(|entry| state.manifests.get(&entry.digest));
            let images: Vec<_> = images.map(|manifest| docker_image(manifest, name)).collect();
            write(&mut tar, DOCKER, json!(images).to_string().as_bytes())?;
        }
        tar.finish().map_err(|source| ErrorKind::Archive { source }.into())
    }

    fn lock(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One image as Docker lists it.
fn docker_image(manifest: &Manifest, name: &str) -> serde_json::Value {
    let layers: Vec<String> = manifest.layers.iter().map(|layer| blob_name(&layer.digest)).collect();
    json!({ "Config": blob_name(&manifest.config.digest), "RepoTags": [name], "Layers": layers })
}

fn write<W: Write>(tar: &mut TarWriter<W>, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let failed = |source| Error::from(ErrorKind::Archive { source });
    let path = RootPath::new(name).map_err(failed)?;
    tar.stream(&path, 0o644, bytes.len() as u64, &mut &bytes[..]).map_err(failed)
}

impl<W: Write> State<W> {
    fn blob(&mut self, content: &Descriptor, bytes: &mut dyn Read) -> Result<(), Error> {
        let mut tar = self.tar.take().ok_or(ErrorKind::BrokenArchive)?;
        let failed = |source| Error::from(ErrorKind::Archive { source });
        let path = RootPath::new(&blob_name(&content.digest)).map_err(failed)?;
        // Manifests are looked into at the end.
        let mut kept = Vec::new();
        let is_manifest = media_type::is_manifest(&content.media_type);
        let mut hashed = HashingReader::new(Teed { bytes, kept: is_manifest.then_some(&mut kept) });
        tar.stream(&path, 0o644, content.size, &mut hashed).map_err(failed)?;
        // A source fails at its end where the content is not what it promised.
        let more = std::io::copy(&mut hashed, &mut std::io::sink())
            .map_err(|source| ErrorKind::Content { digest: content.digest, source })?;
        let (_, digest, got) = hashed.finish();
        if digest != content.digest || more > 0 {
            let (promised, promised_size) = (content.digest, content.size);
            return Err(ErrorKind::Mismatch { promised, promised_size, digest, got }.into());
        }
        if let Ok(manifest) = serde_json::from_slice(&kept) {
            self.manifests.insert(content.digest, manifest);
        }
        self.has.insert(content.digest);
        self.tar = Some(tar);
        Ok(())
    }
}

impl<W: Write> Sink for ArchiveSink<W> {
    type Error = Error;

    fn has(&self, content: &Descriptor) -> Result<bool, Error> {
        Ok(self.lock().has.contains(&content.digest))
    }

    fn put(&self, content: &Descriptor, bytes: &mut dyn Read) -> Result<(), Error> {
        let mut state = self.lock();
        if state.has.contains(&content.digest) { Ok(()) } else { state.blob(content, bytes) }
    }

    fn publish(&self, manifest: &Descriptor, tag: Option<&str>) -> Result<(), Error> {
        let mut state = self.lock();
        match &self.form {
            ArchiveForm::Docker(name) if tag.is_some() => {
                let tag = name.rsplit_once(':').map_or("latest", |(_, tag)| tag);
                place(&mut state.index, manifest, Some(tag), Some(name), Naming::Written);
            }
            _ => place(&mut state.index, manifest, tag, None, Naming::Written),
        }
        Ok(())
    }
}

/// Keeps what passes, where somebody wants it.
struct Teed<'a> {
    bytes: &'a mut dyn Read,
    kept: Option<&'a mut Vec<u8>>,
}

impl Read for Teed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(&buffer[..count]);
        }
        Ok(count)
    }
}
