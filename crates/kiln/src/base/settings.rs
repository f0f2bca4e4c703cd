use serde::Deserialize;

/// The part of kiln.toml that is about bases.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Settings {
    /// Debian release: 13 or 12.
    pub(crate) distribution: Option<String>,
    /// Release line of Node.
    pub(crate) node: Option<u32>,
    /// Address of the Debian archive.
    pub(crate) archive: Option<String>,
    /// Address of the Debian security archive.
    pub(crate) security_archive: Option<String>,
    /// Address of the npm registry.
    pub(crate) registry: Option<String>,
}
