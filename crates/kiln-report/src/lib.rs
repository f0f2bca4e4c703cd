//! Scorecards and scans as text: for a terminal, for programs, for pages and for CI.
//!
//! This crate judges nothing and prints nothing. Text that came from an image never reaches a terminal or a page as
//! anything but text: control characters are replaced, and each format escapes what it must.
//! Start from [`FORMATS`] and [`render`]; for scans from [`SCAN_FORMATS`].

mod format;
mod formats;
mod glance;
mod scans;
mod text;

pub use format::{Format, Options};
pub use formats::FORMATS;
pub use scans::{SCAN_FORMATS, Scan, ScanFormat, Stamp};

use kiln_policy::Scorecard;

/// The card in the format of this name; `None` where there is no such format. Ends with a line end.
pub fn render(format: &str, card: &Scorecard, options: Options) -> Option<String> {
    let format = FORMATS.iter().find(|known| known.name == format)?;
    Some((format.render)(card, options))
}
