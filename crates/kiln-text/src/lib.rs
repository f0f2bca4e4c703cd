//! How names, addresses and checksums are written, once for all of kiln.

mod braces;
mod checksum;
mod glob;
pub mod percent;

pub use braces::alternatives;
pub use checksum::{Algorithm, BadChecksum, Checksum, Hasher};
pub use glob::{BadGlob, Glob, Globs};
