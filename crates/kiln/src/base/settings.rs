use std::path::{Path, PathBuf};

use kiln_finding::Class;
use serde::Deserialize;

use crate::context::Context;
use crate::failure::Failure;

/// The part of kiln.toml that is about bases.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
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

#[derive(Default, Deserialize)]
struct File {
    #[serde(default)]
    base: Settings,
}

impl Settings {
    /// Reads `[base]` of the configuration file; without a file everything is unset.
    pub(crate) fn read(context: &Context) -> Result<Self, Failure> {
        let path = context.config.clone().unwrap_or_else(|| PathBuf::from("kiln.toml"));
        if context.config.is_none() && !path.exists() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(&path).map_err(|error| failed(&path, &error))?;
        let file: File = toml::from_str(&text).map_err(|error| failed(&path, &error))?;
        Ok(file.base)
    }
}

fn failed(path: &Path, cause: &dyn std::fmt::Display) -> Failure {
    Failure::new("kiln.config", Class::Config, format!("read {}", path.display()))
        .with_cause(cause.to_string())
}
