use std::io::Read;

use kiln_finding::Diagnose;
use kiln_oci::{Descriptor, Digest, Manifest, media_type};

use crate::Error;
use crate::error::ErrorKind;

/// The largest manifest, index or configuration kiln reads, in bytes (distribution-spec asks for 4 MiB).
const DOCUMENT_MAX: u64 = 4 << 20;

/// Where images come from: a store, a layout, an archive, a registry.
pub trait Source {
    /// What can go wrong there.
    type Error: Diagnose + Send + Sync + 'static;

    /// The manifest or index that `tag` (or a digest in its usual writing) names; `None` where there is none.
    fn resolve(&self, tag: &str) -> Result<Option<Descriptor>, Self::Error>;

    /// A stream of the content. It must fail at its end, at the latest, where digest or size are not those
    /// of the descriptor.
    fn open(&self, content: &Descriptor) -> Result<Box<dyn Read + Send + '_>, Self::Error>;

    /// The manifests whose subject is `digest`.
    fn referrers(&self, digest: &Digest) -> Result<Vec<Descriptor>, Self::Error>;
}

/// Where images go to.
pub trait Sink {
    /// What can go wrong there.
    type Error: Diagnose + Send + Sync + 'static;

    /// Whether the content is there already.
    fn has(&self, content: &Descriptor) -> Result<bool, Self::Error>;

    /// Takes in a blob or a manifest; it must not become visible unless digest and size are right.
    fn put(&self, content: &Descriptor, bytes: &mut dyn Read) -> Result<(), Self::Error>;

    /// Makes a manifest known: under `tag`, or by its digest alone. Everything it points to is there.
    fn publish(&self, manifest: &Descriptor, tag: Option<&str>) -> Result<(), Self::Error>;
}

/// The whole content of a small document, checked by the source.
pub fn read_small<S: Source + ?Sized>(
    source: &S,
    what: &'static str,
    content: &Descriptor,
) -> Result<Vec<u8>, Error> {
    let digest = content.digest;
    let open =
        source.open(content).map_err(|error| Error::port(format!("open the {what} {digest}"), error))?;
    let mut bytes = Vec::new();
    open.take(DOCUMENT_MAX + 1).read_to_end(&mut bytes).map_err(|source| ErrorKind::Read {
        what,
        digest,
        source,
    })?;
    if bytes.len() as u64 > DOCUMENT_MAX {
        return Err(ErrorKind::TooLarge { what, digest, limit: DOCUMENT_MAX }.into());
    }
    Ok(bytes)
}

/// Copies a manifest with everything it points to, then publishes it. Blobs that are there are not sent again.
pub fn copy<S: Source + ?Sized, T: Sink + ?Sized>(
    source: &S,
    sink: &T,
    manifest: &Descriptor,
    tag: Option<&str>,
) -> Result<(), Error> {
    let bytes = read_small(source, "manifest", manifest)?;
    let digest = manifest.digest;
    if !media_type::is_manifest(&manifest.media_type) {
        let why = format!("is a {}, which cannot be copied yet", manifest.media_type);
        return Err(ErrorKind::Unfit { what: "manifest", digest, why }.into());
    }
    let parsed: Manifest = serde_json::from_slice(&bytes).map_err(|source| ErrorKind::Document {
        what: "manifest",
        digest,
        source,
    })?;
    for content in std::iter::once(&parsed.config).chain(&parsed.layers) {
        copy_blob(source, sink, content)?;
    }
    let failed = |error| Error::port(format!("write the manifest {digest}"), error);
    sink.put(manifest, &mut &bytes[..]).map_err(failed)?;
    sink.publish(manifest, tag).map_err(failed)
}

fn copy_blob<S: Source + ?Sized, T: Sink + ?Sized>(
    source: &S,
    sink: &T,
    content: &Descriptor,
) -> Result<(), Error> {
    let digest = content.digest;
    let failed = |error| Error::port(format!("write the blob {digest}"), error);
    if sink.has(content).map_err(failed)? {
        return Ok(());
    }
    let mut bytes =
        source.open(content).map_err(|error| Error::port(format!("open the blob {digest}"), error))?;
    sink.put(content, &mut bytes).map_err(failed)
}
