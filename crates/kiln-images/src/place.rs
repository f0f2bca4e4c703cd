//! Where images lie: a layout on this machine, a registry, an archive.

use std::io::Read;
use std::time::Duration;

use kiln_finding::Cause;
use kiln_image::{Listed, Source};
use kiln_oci::{Descriptor, Digest};
use kiln_registry::Repository;
use kiln_store::{Archive, Layout};

/// A source whose errors are told alike.
pub enum Place {
    /// kiln's store, or an OCI layout elsewhere.
    Layout(Layout),
    /// A repository of a registry.
    Registry(Box<Repository>),
    /// A file, or what the Docker daemon handed out.
    Archive(Box<Archive>),
}

impl Source for Place {
    type Error = Cause;

    fn resolve(&self, tag: &str) -> Result<Option<Descriptor>, Cause> {
        match self {
            Self::Layout(layout) => layout.resolve(tag).map_err(Cause::new),
            Self::Registry(repository) => repository.resolve(tag).map_err(Cause::new),
            Self::Archive(archive) => archive.resolve(tag).map_err(Cause::new),
        }
    }

    fn resolve_all(&self, tag: &str) -> Result<Listed, Cause> {
        match self {
            Self::Layout(layout) => layout.resolve_all(tag).map_err(Cause::new),
            Self::Registry(repository) => repository.resolve_all(tag).map_err(Cause::new),
            Self::Archive(archive) => archive.resolve_all(tag).map_err(Cause::new),
        }
    }

    fn open(&self, content: &Descriptor) -> Result<Box<dyn Read + Send + '_>, Cause> {
        match self {
            Self::Layout(layout) => layout.open(content).map_err(Cause::new),
            Self::Registry(repository) => repository.open(content).map_err(Cause::new),
            Self::Archive(archive) => archive.open(content).map_err(Cause::new),
        }
    }

    fn open_unchecked(&self, content: &Descriptor) -> Result<Box<dyn Read + Send + '_>, Cause> {
        match self {
            Self::Layout(layout) => layout.open_unchecked(content).map_err(Cause::new),
            Self::Registry(repository) => repository.open_unchecked(content).map_err(Cause::new),
            Self::Archive(archive) => archive.open_unchecked(content).map_err(Cause::new),
        }
    }

    fn referrers(&self, digest: &Digest) -> Result<Listed, Cause> {
        match self {
            Self::Layout(layout) => layout.referrers(digest).map_err(Cause::new),
            Self::Registry(repository) => repository.referrers(digest).map_err(Cause::new),
            Self::Archive(archive) => archive.referrers(digest).map_err(Cause::new),
        }
    }
    fn allow(&self, time: Option<Duration>) {
        match self {
            Self::Layout(layout) => layout.allow(time),
            Self::Registry(repository) => repository.allow(time),
            Self::Archive(archive) => archive.allow(time),
        }
    }
}
