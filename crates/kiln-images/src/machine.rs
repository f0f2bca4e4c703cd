use std::path::PathBuf;

use kiln_finding::{Class, Failure};
use kiln_oci::Reference;
use kiln_registry::{Client, Keyring, Options, Repository};
use kiln_store::{Layout, OnDamage};

use crate::logins::logins;

/// What whoever handles images knows of this machine: where kiln keeps things, and how registries are reached.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Images and keys; kept for good.
    pub data_dir: PathBuf,
    /// Downloads and build results; may be deleted at any time.
    pub cache_dir: PathBuf,
    /// Nothing is asked that is not on this machine.
    pub offline: bool,
    /// `[registry]` of kiln.toml: mirrors, authorities, registries without TLS.
    pub registry: kiln_registry::RegistrySettings,
    /// Told of each blob of the store that was not what its name says, and where it was put.
    pub on_damage: OnDamage,
}

impl Machine {
    /// The folder of kiln's own store, an OCI layout.
    pub fn store(&self) -> PathBuf {
        self.data_dir.join("store")
    }

    /// kiln's own store, which is made where it is missing.
    pub fn layout(&self) -> Result<Layout, Failure> {
        Ok(Layout::keep(&self.store(), self.on_damage)?)
    }

    /// The repository that `reference` lies in, with the logins of docker and podman.
    pub fn repository(&self, reference: &Reference) -> Result<Repository, Failure> {
        if self.offline {
            let what = format!("ask the registry of {reference}: --offline is set");
            return Err(Failure::new("kiln.offline", Class::Usage, what));
        }
        let client = Client::new(&self.registry, Keyring::new(logins()), Options::default())?;
        Ok(client.repository(reference)?)
    }

    /// Where archives lie that cannot be read in place.
    pub(crate) fn spool(&self) -> PathBuf {
        self.cache_dir.join("spool")
    }
}
