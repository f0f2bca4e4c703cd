//! Results of kiln as text: scorecards, what is wrong in Dockerfiles, what was found in images, what is signed about them; for terminals, programs, pages and CI.
//!
//! This crate judges nothing and prints nothing. [`FORMATS`] is the table of formats, and says which kinds of result each can hold.
//! `formats/` holds one writer for each: it cleans and escapes. `cards/`, `lints/`, `scans/` and `trust/` say what there is to write of each kind.
//! Texts of others never reach a terminal or a page as anything but text: all pass [`clean`]. Start from [`Format::render`].

mod cards;
pub mod clean;
mod documents;
mod feeds;
mod format;
mod formats;
mod layout;
mod lints;
mod scans;
mod trust;

pub use feeds::feeds;
pub use format::{Format, Kind, Results, Stamp};
pub use formats::FORMATS;
pub use layout::{Table, wrap};
pub use lints::{LintedFile, summary as lint_summary};
pub use scans::Scan;
pub use trust::Trust;
