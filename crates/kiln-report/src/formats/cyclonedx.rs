use crate::Format;
use crate::scans;

/// CycloneDX 1.6 with vulnerabilities.
pub(super) static FORMAT: Format = Format {
    name: "cyclonedx",
    about: "CycloneDX with vulnerabilities and their analysis",
    extension: "cdx.json",
    is_json: true,
    holds_one: true,
    card: None,
    lint: None,
    scan: Some(scans::cyclonedx),
    trust: None,
};
