//! Versions and names of Python packages.

use std::cmp::Ordering;

use pep440_rs::Version;

/// Longest text taken as a version.
const MAX_LENGTH: usize = 256;

/// The order of two versions. Source: the version specifiers specification of the Python Packaging User Guide (PEP 440).
pub fn compare(a: &str, b: &str) -> Option<Ordering> {
    Some(read(a)?.cmp(&read(b)?))
}

/// The one spelling of a name: runs of `-`, `_` and `.` are one dash, and letters are small. Source: PEP 503.
pub fn normal_name(name: &str) -> String {
    let words = name.split(['-', '_', '.']).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

fn read(text: &str) -> Option<Version> {
    let text = text.trim();
    if text.len() > MAX_LENGTH { None } else { text.parse().ok() }
}
