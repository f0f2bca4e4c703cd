//! Where images lie: a layout on this machine, or a registry.

use std::io::Read;

use kiln_finding::Cause;
use kiln_image::{Sink, Source};
use kiln_oci::{Descriptor, Digest};
use kiln_registry::Repository;
use kiln_store::Layout;

/// A layout or a repository, whose errors are told alike.
pub(crate) enum Place {
    Layout(Layout),
    Registry(Box<Repository>),
}

impl Source for Place {
    type Error = Cause;

    fn resolve(&self, tag: &str) -> Result<Option<Descriptor>, Cause> {
        match self {
            Self::Layout(layout) => layout.resolve(tag).map_err(Cause::new),
            Self::Registry(repository) => repository.resolve(tag).map_err(Cause::new),
        }
    }

    fn open(&self, content: &Descriptor) -> Result<Box<dyn Read + Send + '_>, Cause> {
        match self {
            Self::Layout(layout) => layout.open(content).map_err(Cause::new),
            Self::Registry(repository) => repository.open(content).map_err(Cause::new),
        }
    }

    fn referrers(&self, digest: &Digest) -> Result<Vec<Descriptor>, Cause> {
        match self {
            Self::Layout(layout) => layout.referrers(digest).map_err(Cause::new),
            Self::Registry(repository) => repository.referrers(digest).map_err(Cause::new),
        }
    }
}

impl Sink for Place {
    type Error = Cause;

    fn has(&self, content: &Descriptor) -> Result<bool, Cause> {
        match self {
            Self::Layout(layout) => layout.has(content).map_err(Cause::new),
            Self::Registry(repository) => repository.has(content).map_err(Cause::new),
        }
    }

    fn put(&self, content: &Descriptor, bytes: &mut dyn Read) -> Result<(), Cause> {
        match self {
            Self::Layout(layout) => layout.put(content, bytes).map_err(Cause::new),
            Self::Registry(repository) => repository.put(content, bytes).map_err(Cause::new),
        }
    }

    fn publish(&self, manifest: &Descriptor, tag: Option<&str>) -> Result<(), Cause> {
        match self {
            Self::Layout(layout) => layout.publish(manifest, tag).map_err(Cause::new),
            Self::Registry(repository) => repository.publish(manifest, tag).map_err(Cause::new),
        }
    }
}
