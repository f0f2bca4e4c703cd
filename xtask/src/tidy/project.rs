use std::collections::BTreeMap;

use serde::Deserialize;

/// What the checks look at.
pub(super) struct Tree {
    /// Text by path.
    pub(super) files: BTreeMap<String, String>,
    pub(super) allowed: Allowed,
}

/// `tidy.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Allowed {
    pub(super) sizes: BTreeMap<String, Size>,
    pub(super) io: BTreeMap<String, String>,
    pub(super) disk: BTreeMap<String, String>,
    pub(super) places: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Size {
    pub(super) lines: usize,
    #[expect(dead_code, reason = "for the reader of the file; it must be there")]
    reason: String,
}
