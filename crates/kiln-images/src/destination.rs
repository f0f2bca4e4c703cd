//! Where images go: a layout, a registry, an archive, the Docker daemon.

use std::io::{BufWriter, Read};
use std::path::{Path, PathBuf};

use kiln_disk::{Durability, Links, Output};
use kiln_finding::{Cause, Class, Failure};
use kiln_image::Sink;
use kiln_oci::Descriptor;
use kiln_registry::Repository;
use kiln_store::{ArchiveForm, ArchiveSink, Layout, Load};

use crate::archive;
use crate::place::Place;

/// A sink whose errors are told alike. Archives are whole only after [`Destination::finish`].
pub enum Destination {
    /// kiln's store, or an OCI layout elsewhere.
    Layout(Layout),
    /// A repository of a registry.
    Registry(Box<Repository>),
    /// An archive in a file.
    File(Box<ArchiveFile>),
    /// The Docker daemon.
    Daemon(Box<ArchiveSink<Load>>),
}

/// An archive where the user says.
pub struct ArchiveFile {
    sink: ArchiveSink<BufWriter<Output>>,
    path: PathBuf,
}

impl ArchiveFile {
    fn create(path: &Path, form: ArchiveForm) -> Result<Self, Failure> {
        let file = Output::open(path, Links::Replaced).map_err(|error| unwritten(path, &error))?;
        let sink = ArchiveSink::new(BufWriter::with_capacity(1 << 20, file), form)?;
        Ok(Self { sink, path: path.to_owned() })
    }

    fn finish(self) -> Result<(), Failure> {
        let file = self.sink.finish()?.into_inner();
        let file = file.map_err(|failed| unwritten(&self.path, failed.error()))?;
        file.finish(Durability::Process).map_err(|error| unwritten(&self.path, &error))
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new("kiln.write", Class::Environment, format!("write {}", path.display()))
        .with_cause(error.to_string())
}

impl Destination {
    /// A new archive: in place of a file that may be there, or into a pipe or a device.
    pub fn archive(path: &Path, form: ArchiveForm) -> Result<Self, Failure> {
        Ok(Self::File(Box::new(ArchiveFile::create(path, form)?)))
    }

    /// The Docker daemon, which will know the image as `name`.
    pub fn daemon(name: &str) -> Result<Self, Failure> {
        let load = archive::daemon()?.load()?;
        Ok(Self::Daemon(Box::new(ArchiveSink::new(load, ArchiveForm::Docker(name.to_owned()))?)))
    }

    /// Where something lies, to add to it.
    pub fn of(place: Place, text: &str) -> Result<Self, Failure> {
        match place {
            Place::Layout(layout) => Ok(Self::Layout(layout)),
            Place::Registry(repository) => Ok(Self::Registry(Box::new(repository.without_mirrors()))),
            Place::Archive(_) => Err(Failure::usage(format!("add to {text}: an archive stays as it is"))
                .with_help("copy it to a layout or a registry first")),
        }
    }

    /// Whether the order in which content comes shows in what is written.
    pub fn is_ordered(&self) -> bool {
        matches!(self, Self::File(_) | Self::Daemon(_))
    }

    /// Makes what was taken in whole.
    pub fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Layout(_) | Self::Registry(_) => Ok(()),
            Self::File(file) => file.finish(),
            Self::Daemon(sink) => Ok(sink.finish()?.finish()?),
        }
    }
}

impl Sink for Destination {
    type Error = Cause;

    fn has(&self, content: &Descriptor) -> Result<bool, Cause> {
        match self {
            Self::Layout(layout) => layout.has(content).map_err(Cause::new),
            Self::Registry(repository) => repository.has(content).map_err(Cause::new),
            Self::File(file) => file.sink.has(content).map_err(Cause::new),
            Self::Daemon(sink) => sink.has(content).map_err(Cause::new),
        }
    }

    fn put(&self, content: &Descriptor, bytes: &mut dyn Read) -> Result<(), Cause> {
        match self {
            Self::Layout(layout) => layout.put(content, bytes).map_err(Cause::new),
            Self::Registry(repository) => repository.put(content, bytes).map_err(Cause::new),
            Self::File(file) => file.sink.put(content, bytes).map_err(Cause::new),
            Self::Daemon(sink) => sink.put(content, bytes).map_err(Cause::new),
        }
    }

    fn publish(&self, manifest: &Descriptor, tag: Option<&str>) -> Result<(), Cause> {
        match self {
            Self::Layout(layout) => layout.publish(manifest, tag).map_err(Cause::new),
            Self::Registry(repository) => repository.publish(manifest, tag).map_err(Cause::new),
            Self::File(file) => file.sink.publish(manifest, tag).map_err(Cause::new),
            Self::Daemon(sink) => sink.publish(manifest, tag).map_err(Cause::new),
        }
    }
}
