//! A root filesystem as a value, and the tar streams it travels in.
//!
//! [`Tree`] is the value: paths that cannot escape, attributes, content. [`write_tar`] turns it into a
//! deterministic PAX tar; [`LayerReader`] streams hostile layer tars entry by entry under [`Limits`], without
//! ever holding a file in memory. This crate never touches a disk (what stays there is [`Stored`]), and never
//! looks at the clock: times enter as values. [`Delta`] is what a layer changes. Start from [`Tree`] and [`LayerReader`].

mod delta;
mod error;
mod header;
mod layer;
mod path;
mod pax;
mod resolve;
mod tree;
mod writer;

pub use delta::{Delta, write_delta};
pub use error::Error;
pub use layer::{EntryKind, LayerEntry, LayerReader, Limits, Whiteout, decompress};
pub use path::RootPath;
pub use resolve::resolve;
pub use tree::{Attrs, Content, Entry, Kind, Stored, Tree};
pub use writer::{TarWriter, write_tar};
