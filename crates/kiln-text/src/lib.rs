//! How names, addresses and checksums are written, once for all of kiln.

mod glob;
pub mod percent;

pub use glob::{BadGlob, Glob, Globs};
