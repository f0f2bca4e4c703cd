//! The predicate types kiln writes and asks for. Compared whole, or by [`is_meant`].

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

/// Whether a statement of the type `found` is what is meant by `wanted`: the same type, or, for documents that others name with their
/// version (`https://spdx.dev/Document/v2.3`), that. Types whose version says what they mean (SLSA provenance) are not alike.
pub fn is_meant(wanted: &str, found: &str) -> bool {
    if wanted == found {
        return true;
    }
    let has_versions = [SPDX, CYCLONEDX, OPENVEX_FAMILY].contains(&wanted);
    let version = found.strip_prefix(wanted).and_then(|rest| rest.strip_prefix("/v"));
    has_versions && version.is_some_and(is_version)
}

fn is_version(text: &str) -> bool {
    text.split('.')
        .all(|part| !part.is_empty() && part.len() <= 6 && part.bytes().all(|byte| byte.is_ascii_digit()))
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_meant_in_every_version_and_nothing_else_is() {
        for found in [SPDX, "https://spdx.dev/Document/v2.3", "https://spdx.dev/Document/v3"] {
            assert!(is_meant(SPDX, found), "{found}");
        }
        for found in [
            "https://spdx.dev/Document/",
            "https://spdx.dev/Document/v",
            "https://spdx.dev/Document/v2.",
            "https://spdx.dev/Document/v2.3/x",
            "https://spdx.dev/Documents",
            "https://spdx.dev/Document-v2.3",
            CYCLONEDX,
        ] {
            assert!(!is_meant(SPDX, found), "{found}");
        }
        assert!(is_meant(OPENVEX_FAMILY, OPENVEX));
        assert!(!is_meant("https://spdx.dev/Document/v2.3", SPDX), "who asks for a version gets that");
        assert!(
            !is_meant(PROVENANCE, PROVENANCE_V02) && !is_meant("https://slsa.dev/provenance", PROVENANCE)
        );
    }
}
