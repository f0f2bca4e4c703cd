use std::path::PathBuf;

use serde::Deserialize;

/// `[scan]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct VexSettings {
    /// Files with VEX documents.
    pub(super) vex: Vec<PathBuf>,
    /// The public key whose VEX statements on images are applied.
    pub(super) vex_key: Option<PathBuf>,
}
