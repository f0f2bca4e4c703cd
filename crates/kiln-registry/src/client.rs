use std::sync::Arc;

use kiln_oci::Reference;

use crate::endpoint::Endpoint;
use crate::repository::Repository;
use crate::transport::Transport;
use crate::{Error, Keyring, Options, RegistrySettings};

/// Connections to registries, which know their logins.
#[derive(Clone)]
pub struct Client {
    transport: Arc<Transport>,
    settings: RegistrySettings,
}

impl Client {
    /// A client; no server is asked yet.
    pub fn new(settings: &RegistrySettings, keyring: Keyring, options: Options) -> Result<Self, Error> {
        let transport = Arc::new(Transport::new(settings, keyring, options)?);
        Ok(Self { transport, settings: settings.clone() })
    }

    /// The repository that `reference` lies in; the reference must name its host.
    pub fn repository(&self, reference: &Reference) -> Result<Repository, Error> {
        let main = Endpoint::of(reference)?;
        let mirrors = main.mirrors(&self.settings);
        Ok(Repository::new(self.transport.clone(), main, mirrors, self.settings.chunk))
    }

    /// What registries warned of since this was asked last.
    pub fn take_warnings(&self) -> Vec<String> {
        self.transport.sender.take_warnings()
    }
}
