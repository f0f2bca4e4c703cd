//! Versions of Python packages.

use std::cmp::Ordering;

use pep440_rs::Version;

/// Longest text taken as a version.
const MAX_LENGTH: usize = 256;

/// The order of two versions. Source: the version specifiers specification of the Python Packaging User Guide (PEP 440).
pub fn compare(a: &str, b: &str) -> Option<Ordering> {
    Some(read(a)?.cmp(&read(b)?))
}

fn read(text: &str) -> Option<Version> {
    let text = text.trim();
    if text.len() > MAX_LENGTH { None } else { text.parse().ok() }
}
