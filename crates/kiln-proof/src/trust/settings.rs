use std::path::PathBuf;

use serde::Deserialize;

use super::rule::Rule;

/// `[trust]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct TrustSettings {
    /// Whom certificates are traced back to: a `trusted_root.json`.
    pub(crate) trusted_root: Option<PathBuf>,
    /// Days since it was last looked whether there are newer roots.
    pub(crate) max_root_age: Option<u64>,
    /// What becomes of images that no rule names.
    pub(crate) unmatched: Unmatched,
    /// Every rule that names an image must be met.
    pub(crate) rule: Vec<Rule>,
    /// The folder of kiln.toml, which files are named from.
    #[serde(skip)]
    pub folder: PathBuf,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unmatched {
    /// Where there are rules, an image without one is not used.
    #[default]
    Refuse,
    Allow,
}

impl TrustSettings {
    /// The file with roots that kiln.toml names.
    pub(crate) fn root_file(&self) -> Option<PathBuf> {
        self.trusted_root.as_ref().map(|path| self.folder.join(path))
    }
}
