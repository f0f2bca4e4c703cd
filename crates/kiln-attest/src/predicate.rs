//! The predicate types kiln writes and asks for. Always compared whole.

/// A plain signature, as cosign 3 writes it.
pub const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";
/// An SPDX document.
pub const SPDX: &str = "https://spdx.dev/Document";
/// A CycloneDX document.
pub const CYCLONEDX: &str = "https://cyclonedx.org/bom";
/// SLSA provenance, version 1.
pub const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
/// A vulnerability scan, in cosign's form.
pub const VULNERABILITIES: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";

/// SLSA provenance, version 0.2, which older builders write.
pub const PROVENANCE_V02: &str = "https://slsa.dev/provenance/v0.2";
/// Anything, as cosign names it.
pub const CUSTOM: &str = "https://cosign.sigstore.dev/attestation/v1";
/// An OpenVEX document, in the version that is written; others begin alike.
pub const OPENVEX: &str = "https://openvex.dev/ns/v0.2.0";
/// An OpenVEX document as cosign names it, and how the predicate types of all versions begin.
pub const OPENVEX_FAMILY: &str = "https://openvex.dev/ns";

/// The name people call a predicate type by; the type itself where it has none.
pub fn short_name(predicate_type: &str) -> &str {
    match predicate_type {
        SIGNATURE => "signature",
        SPDX => "SPDX SBOM",
        CYCLONEDX => "CycloneDX SBOM",
        PROVENANCE => "SLSA provenance",
        VULNERABILITIES => "vulnerability scan",
        OPENVEX | OPENVEX_FAMILY => "OpenVEX",
        other => other,
    }
}
