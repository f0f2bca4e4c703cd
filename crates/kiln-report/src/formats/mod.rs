//! What kinds of results each format holds. This file is only the table of them.

mod cyclonedx;
mod github;
mod gitlab;
mod human;
mod json;
mod junit;
mod markdown;
mod openvex;
mod sarif;

use crate::Format;

/// Every format, by name.
pub static FORMATS: &[&Format] = &[
    &cyclonedx::FORMAT,
    &github::FORMAT,
    &gitlab::FORMAT,
    &human::FORMAT,
    &json::FORMAT,
    &junit::FORMAT,
    &markdown::FORMAT,
    &openvex::FORMAT,
    &sarif::FORMAT,
];

impl Format {
    /// The format of a name.
    pub fn find(name: &str) -> Option<&'static Self> {
        FORMATS.iter().copied().find(|format| format.name == name)
    }
}
