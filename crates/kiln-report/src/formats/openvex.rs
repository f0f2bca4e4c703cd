use crate::Format;
use crate::scans;

/// OpenVEX 0.2.0.
pub(super) static FORMAT: Format = Format {
    name: "openvex",
    about: "OpenVEX: what was taken out, and why",
    extension: "openvex.json",
    is_json: true,
    holds_one: true,
    card: None,
    lint: None,
    scan: Some(scans::openvex),
    trust: None,
};
