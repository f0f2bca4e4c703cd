//! How names, addresses and checksums are written, once for all of kiln.

mod checksum;
mod glob;
pub mod percent;

pub use checksum::{Algorithm, BadChecksum, Checksum, Hasher};
pub use glob::{BadGlob, Glob, Globs};
