//! SBOMs: an inventory written as SPDX 2.3 or 3.0, or as CycloneDX 1.6 or 1.7; and read back, whoever wrote it.
//!
//! The documents are deterministic: the same inventory, subject and time give the same bytes, and the ids that the formats want
//! unique are derived from the subject's digest. What is read back keeps packages, graph, licences and places; indicators
//! and credentials are in no document, so an inventory that was read has no layers, and no check may call them absent.
//! This crate has no clock. Start from [`FORMATS`], [`Document`] and [`read`].

mod document;
mod error;
mod extra;
mod format;
mod formats;
mod id;
mod read;

pub use document::{Document, DocumentSubject};
pub use error::Error;
pub use format::Format;
pub use formats::{FORMATS, find};
pub use read::{DOCUMENT_MAX, read};
