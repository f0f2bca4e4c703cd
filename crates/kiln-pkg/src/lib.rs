//! Packages: what they are, how they are named, how their versions are ordered, and what an image holds of them.
//!
//! This crate reads no files and judges nothing. Version orders are the ecosystems' own; a text that is no
//! version of its ecosystem has no order, and the caller says "unknown".
//! Start from [`Package`] and [`Inventory`].

mod ecosystem;
mod elsewhere;
mod from_purl;
mod indicator;
mod inventory;
mod licence;
mod npm_archive;
mod package;
mod purl;
pub mod version;

pub use ecosystem::Ecosystem;
pub use elsewhere::Elsewhere;
pub use indicator::{Indicator, IndicatorKind, Secret};
pub use inventory::{Distro, Inventory, Layer, Unread, Unseen};
pub use kiln_text::Checksum;
pub use licence::Licence;
pub use npm_archive::{NpmArchive, is_npm_name};
pub use package::{Origin, Package, Packager, Part, Place, Source};
pub use purl::{Purl, PurlError};
