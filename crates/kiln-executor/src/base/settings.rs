use serde::Deserialize;

/// The part of kiln.toml that is about bases.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct BaseSettings {
    /// Debian release: 13 or 12.
    pub distribution: Option<String>,
    /// Release line of Node.
    pub node: Option<u32>,
    /// Address of the Debian archive.
    pub archive: Option<String>,
    /// Address of the Debian security archive.
    pub security_archive: Option<String>,
    /// Address of the npm registry.
    pub registry: Option<String>,
}
