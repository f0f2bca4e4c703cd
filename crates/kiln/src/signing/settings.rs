use std::path::PathBuf;

use serde::Deserialize;

/// By what name issuers know clients of Sigstore.
pub(super) const CLIENT_ID: &str = "sigstore";

/// `[signing]`: where a certificate comes from that signs in place of a key.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct SigningSettings {
    /// Sign with certificates, by services that `config` or `kiln trust update` names.
    keyless: bool,
    /// Services: a signing configuration of Sigstore.
    pub(super) config: Option<PathBuf>,
    /// Who vouches for people that log in.
    pub(super) oidc_issuer: Option<String>,
    /// By what name the issuer knows kiln.
    pub(super) oidc_client_id: Option<String>,
}

impl SigningSettings {
    /// Whether certificates sign where no key is named.
    pub(super) fn is_set(&self) -> bool {
        self.keyless || self.config.is_some()
    }
}
