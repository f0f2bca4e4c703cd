//! What kiln keeps on this machine: an OCI layout, archives made from it, and a cache of build steps.
//!
//! A blob appears under its digest only when it is whole, is hashed once before it is believed, and is checked again whenever
//! it is read, so a process killed at any moment leaves nothing that is ever served wrongly. This crate does not know what the content
//! means. Start from [`Layout`] and [`StepCache`].

mod archive;
mod cache;
mod census;
mod checked;
mod daemon;
mod error;
mod index;
mod layout;
mod output;
mod saved;

pub use archive::{Archive, ArchiveForm, ArchiveSink};
pub use cache::StepCache;
pub use census::{Blob, Entry, Removed, Spare};
pub use daemon::{Daemon, Load};
pub use error::Error;
pub use kiln_disk::Links;
pub use layout::{Condition, Ingest, Layout, OnDamage, Refused, Stored};
pub use output::{replace_file, write_output};
