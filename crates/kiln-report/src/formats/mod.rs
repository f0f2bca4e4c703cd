//! One writer for each format. This file is only the table of them.

mod cyclonedx;
pub(crate) mod github;
pub(crate) mod gitlab;
mod human;
mod json;
pub(crate) mod junit;
pub(crate) mod markdown;
mod openvex;
pub(crate) mod sarif;

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
