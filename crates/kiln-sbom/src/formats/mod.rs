//! The table of formats. Each is one file.

mod cyclonedx_1_7_json;
mod cyclonedx_json;
mod spdx_3_json;
mod spdx_json;

use crate::Format;

/// Every format, by name.
pub static FORMATS: &[&Format] =
    &[&cyclonedx_1_7_json::FORMAT, &cyclonedx_json::FORMAT, &spdx_3_json::FORMAT, &spdx_json::FORMAT];

/// The format of that name.
pub fn find(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name).copied()
}
