//! What kiln keeps on this machine: an OCI layout, archives made from it, and a cache of build steps.
//!
//! A blob appears under its digest only when it is whole, and is checked again whenever it is read, so a process
//! killed at any moment leaves nothing that is ever served wrongly. This crate does not know what the content
//! means. Start from [`Layout`] and [`StepCache`].

mod archive;
mod cache;
mod checked;
mod daemon;
mod error;
mod index;
mod ingest;
mod layout;

pub use archive::{Archive, ArchiveForm, ArchiveSink};
pub use cache::StepCache;
pub use daemon::{Daemon, Load};
pub use error::Error;
pub use index::replace as replace_file;
pub use ingest::Ingest;
pub use layout::{Layout, Stored};
