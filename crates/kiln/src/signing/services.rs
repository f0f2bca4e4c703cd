use std::path::{Path, PathBuf};

use kiln_finding::{Class, Failure};
use kiln_images::clock::now;
use kiln_proof::trust;
use kiln_sign::{Generation, Log, Services};

use crate::config::Config;
use crate::context::Context;

/// Services to ask. None is known by itself.
#[derive(clap::Args)]
pub(super) struct Endpoints {
    /// Services to ask: a signing configuration of Sigstore; by default that of kiln.toml, or what `kiln trust update`
    /// brought
    #[arg(long, value_name = "FILE")]
    signing_config: Option<PathBuf>,
    /// Certificate authority, in place of that of the configuration
    #[arg(long, value_name = "URL", conflicts_with = "key")]
    fulcio_url: Option<String>,
    /// Transparency log (Rekor, version 1), in place of those of the configuration
    #[arg(long, value_name = "URL")]
    rekor_url: Option<String>,
    /// Timestamp authority, in place of those of the configuration
    #[arg(long, value_name = "URL")]
    timestamp_server_url: Option<String>,
    /// Who vouches for you, where you log in to sign
    #[arg(long, value_name = "URL", conflicts_with = "key")]
    pub(super) oidc_issuer: Option<String>,
    /// By what name the issuer knows kiln
    #[arg(long, value_name = "ID", conflicts_with = "key")]
    pub(super) oidc_client_id: Option<String>,
}

impl Endpoints {
    /// Whether the command line says where a certificate comes from.
    pub(super) fn names_authority(&self) -> bool {
        self.signing_config.is_some() || self.fulcio_url.is_some()
    }

    /// Services for a certificate: of the command line, else of kiln.toml, else as they were published.
    pub(super) fn services(&self, context: &Context, config: &Config) -> Result<Services, Failure> {
        let file = self.signing_config.clone();
        let file = file.or_else(|| config.signing.config.as_ref().map(|path| config.folder.join(path)));
        let services = match file {
            Some(path) => read(&path)?,
            None if self.fulcio_url.is_some() => Services::default(),
            None => published(context)?,
        };
        let services = self.over(services);
        if services.authority.is_none() {
            return Err(Failure::usage("sign without a key: nothing says which services to ask").with_help(
                "pass --signing-config FILE, or --fulcio-url URL with --rekor-url URL or --timestamp-server-url URL; \
                 `kiln trust update` brings a configuration where the instance publishes one",
            ));
        }
        Ok(services)
    }

    /// Witnesses for a key: only those of the command line.
    pub(super) fn witnesses(&self) -> Result<Services, Failure> {
        let services = self.signing_config.as_deref().map(read).transpose()?.unwrap_or_default();
        Ok(self.over(services))
    }

    fn over(&self, mut services: Services) -> Services {
        if let Some(url) = &self.fulcio_url {
            services.authority = Some(url.clone());
        }
        if let Some(url) = &self.rekor_url {
            services.logs = vec![Log { url: url.clone(), generation: Generation::First }];
        }
        if let Some(url) = &self.timestamp_server_url {
            services.timestamps = vec![url.clone()];
        }
        services
    }
}

fn read(path: &Path) -> Result<Services, Failure> {
    let text = kiln_disk::read_given_text(path, kiln_disk::DOCUMENT_MAX).map_err(|error| {
        Failure::new("kiln.signing_config", Class::Usage, format!("read {}", path.display()))
            .with_cause(error.to_string())
    })?;
    Ok(Services::read(&text, now())?)
}

fn published(context: &Context) -> Result<Services, Failure> {
    let kept = trust::kept(&context.machine)?;
    let text = kept.as_ref().and_then(|kept| kept.published.signing_config());
    Ok(text.map(|text| Services::read(text, now())).transpose()?.unwrap_or_default())
}
