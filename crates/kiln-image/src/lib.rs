//! Images and layers as values, and the two ports they travel through.
//!
//! [`Image`] is a manifest with its configuration, checked to fit together. [`Source`] yields images and
//! [`Sink`] takes them; [`copy`] moves one between any two, with all its platforms and, if asked, its referrers. [`pack_layer`] turns a tree into a gzip layer whose
//! bytes do not depend on the number of threads. This crate knows no file, socket or clock.

mod copy;
mod error;
mod gzip;
mod image;
mod pack;
mod port;

pub use copy::{Copied, CopyOptions, copy, copy_with};
pub use error::Error;
pub use gzip::GzipWriter;
pub use image::Image;
pub use pack::{Compression, PackedLayer, pack_delta, pack_layer};
pub use port::{DOCUMENT_MAX, Listed, Sink, Source, read_small};
