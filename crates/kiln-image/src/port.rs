use std::io::Read;
use std::time::Duration;

use kiln_finding::Diagnose;
use kiln_oci::{Descriptor, Digest};

use crate::Error;
use crate::error::ErrorKind;

/// The largest manifest, index or configuration kiln reads, in bytes (distribution-spec asks for 4 MiB at least).
pub const DOCUMENT_MAX: u64 = 8 << 20;

/// What is listed, as far as it is known. Whoever looks for something and does not find it in here does not know that it is not there,
/// unless `unknown` is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// What was found.
    pub found: Vec<Descriptor>,
    /// Of everything that could not be asked or was not understood: what it is, and why.
    pub unknown: Vec<String>,
}

impl From<Vec<Descriptor>> for Listed {
    fn from(found: Vec<Descriptor>) -> Self {
        Self { found, unknown: Vec::new() }
    }
}

/// Where images come from: a store, a layout, an archive, a registry.
pub trait Source {
    /// What can go wrong there.
    type Error: Diagnose + Send + Sync + 'static;

    /// The manifest or index that `tag` (or a digest in its usual writing) names; `None` where there is none.
    fn resolve(&self, tag: &str) -> Result<Option<Descriptor>, Self::Error>;

    /// All manifests that `tag` names, where several places answer for the same image (a registry and its mirrors).
    fn resolve_all(&self, tag: &str) -> Result<Listed, Self::Error> {
        Ok(Vec::from_iter(self.resolve(tag)?).into())
    }

    /// A stream of the content. It must fail at its end, at the latest, where digest or size are not those
    /// of the descriptor.
    fn open(&self, content: &Descriptor) -> Result<Box<dyn Read + Send + '_>, Self::Error>;

    /// The same for a sink, which checks what it is given ([`Sink::put`]): hashing twice is half of what a copy costs. May
    /// check nonetheless.
    fn open_unchecked(&self, content: &Descriptor) -> Result<Box<dyn Read + Send + '_>, Self::Error> {
        self.open(content)
    }

    /// The manifests whose subject is `digest`.
    fn referrers(&self, digest: &Digest) -> Result<Listed, Self::Error>;

    /// Everything that is asked from now on may take that long, all in all, and then ends in an error; `None`: as long as it takes.
    /// For a place that waits for nobody it means nothing.
    fn allow(&self, _time: Option<Duration>) {}
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
