//! What was found in images, for programs and pages.

mod cyclonedx;
mod github;
mod gitlab;
mod json;
mod junit;
mod markdown;
mod openvex;
mod sarif;
mod scan;
mod words;

pub use scan::{Scan, ScanFormat, Stamp};

/// Every format, by name.
pub static SCAN_FORMATS: &[&ScanFormat] = &[
    &cyclonedx::FORMAT,
    &github::FORMAT,
    &gitlab::FORMAT,
    &json::FORMAT,
    &junit::FORMAT,
    &markdown::FORMAT,
    &openvex::FORMAT,
    &sarif::FORMAT,
];
