//! Bills of material: an inventory written as SPDX 2.3 or CycloneDX 1.6.
//!
//! The documents are deterministic: the same inventory, subject and time give the same bytes, and the ids that the formats want
//! unique are derived from the subject's digest. This crate has no clock. Reading documents back is not done here yet.
//! Start from [`FORMATS`] and [`Document`].

mod document;
mod formats;
mod id;

pub use document::{Document, Subject};
pub use formats::{FORMATS, Format, find};
