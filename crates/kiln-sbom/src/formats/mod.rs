//! The table of formats. Each is one file.

mod cyclonedx_1_7_json;
mod cyclonedx_json;
mod spdx_3_json;
mod spdx_json;

use crate::Document;

/// A format SBOMs are written in.
pub struct Format {
    /// Name on the command line, as `spdx-json`.
    pub name: &'static str,
    /// Version of the standard.
    pub version: &'static str,
    /// Usual end of file names.
    pub extension: &'static str,
    /// Predicate type when it is attested. Source: in-toto attestation framework, "SPDX" and "CycloneDX" predicates.
    pub predicate_type: &'static str,
    /// Writes a document.
    pub render: fn(&Document<'_>) -> String,
}

/// Every format, by name.
pub static FORMATS: &[&Format] =
    &[&cyclonedx_1_7_json::FORMAT, &cyclonedx_json::FORMAT, &spdx_3_json::FORMAT, &spdx_json::FORMAT];

/// The format of that name.
pub fn find(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name).copied()
}
