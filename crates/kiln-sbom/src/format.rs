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
