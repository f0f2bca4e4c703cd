//! What an image holds, read in one streaming pass over each layer.
//!
//! [`scan_layer`] turns a layer into [`LayerFacts`], which depend on the layer alone and can be kept for ever under its digest
//! and [`CATALOG`]; [`combine`] stacks the facts of an image's layers into an [`kiln_pkg::Inventory`]; [`scan_image`] does both,
//! through the ports of an image source and a [`FactCache`]. [`scan_folder`] does the same for a folder and its lock files. Memory is bounded whatever a layer holds: no file is held as a
//! whole but the small ones a cataloger asks for, each under a cap. What could not be read is said, never left out.
//! This crate judges nothing and touches no disk. Start from [`scan_image`].

mod absent;
mod catalogers;
mod combine;
mod depends;
mod error;
mod facts;
mod folder;
mod groups;
mod image;
mod indicator;
mod kept;
mod layers;
mod linked_code;
mod nameless;
mod owners;
mod paths;
mod scan;
mod secrets;
mod stack;
mod unseen;
mod whole;
mod window;
mod wire;
mod workspaces;

#[cfg(test)]
mod tests;

pub use catalogers::{CATALOG, cataloger_examples, cataloger_names};
pub use combine::combine;
pub use error::Error;
pub use facts::{FileFacts, LayerFacts, Reading};
pub use folder::{Machine, locked_package, scan_folder};
pub use image::{FactCache, NoCache, scan_image};
pub use layers::set_base;
pub use scan::scan_layer;
pub use secrets::in_config as secrets_in_config;
