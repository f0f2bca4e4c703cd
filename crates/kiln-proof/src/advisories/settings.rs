use std::path::PathBuf;

use kiln_finding::{Class, Failure};
use kiln_images::Machine;
use kiln_trust::PublicKey;
use kiln_vuln::{MaxAge, Terms};
use serde::Deserialize;

use crate::keys::{Keys, read_public};

/// `[database]`: where `kiln db update` gets advisories from. Nothing is known here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct AdvisorySettings {
    /// Addresses of feeds or of a compiled database, or the name of an artifact (`oci://registry.example/team/advisories:latest`).
    pub from: Vec<String>,
    /// The public key that must have signed an artifact; kiln's own by default.
    pub key: Option<PathBuf>,
    /// Days after which a feed is called stale; 30 where nothing is said. A number, or a table of feeds with `default`.
    pub stale_after: MaxAge,
}

/// Who must have signed an artifact.
pub struct Signed {
    /// The key.
    pub key: PublicKey,
    /// Where it was read.
    pub path: PathBuf,
}

impl AdvisorySettings {
    /// What is judged today is judged by these.
    pub fn terms(&self) -> Terms {
        Terms::on(super::today()).stale_after(&self.stale_after)
    }

    /// The key of the command line, of kiln.toml, or kiln's own.
    pub fn signed(&self, named: Option<&PathBuf>, machine: &Machine) -> Result<Signed, Failure> {
        let path = named.or(self.key.as_ref()).cloned();
        let path = path.unwrap_or_else(|| Keys::local(machine).public_path());
        if !path.exists() {
            let what = format!("verify the advisories: there is no public key {}", path.display());
            return Err(Failure::new("db.key", Class::Config, what).with_help(
                "name the key of who publishes them: --key FILE, or [database] key in kiln.toml",
            ));
        }
        Ok(Signed { key: read_public(&path)?, path })
    }
}
