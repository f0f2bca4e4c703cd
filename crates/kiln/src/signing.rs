//! How things are signed, as the command line and `[signing]` of kiln.toml say it. Flags have the names they have in
//! cosign.

mod login;
mod services;
mod settings;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kiln_fetch::{Exchange, ExchangeOptions};
use kiln_finding::{Class, Failure};
use kiln_images::clock::now;
use kiln_proof::{Keys, trust};
use kiln_sign::oidc::{Ambient, Client, ambient, by_device, in_browser};
use kiln_sign::{Services, Signer, TOKEN_MAX, Token, Transport, Witnesses};
pub(crate) use settings::SigningSettings;

use self::login::Desk;
use self::services::Endpoints;
use crate::config::Config;
use crate::context::Context;
use crate::output;

/// Who signs.
#[derive(clap::Args)]
pub(crate) struct SigningOptions {
    /// Private key: a file in cosign's format or plain PKCS #8, pkcs11:…, or NAME://… behind sigstore-kms-NAME; kiln's own by
    /// default, made on first use
    #[arg(long, value_name = "FILE|URI")]
    key: Option<PathBuf>,
    #[command(flatten)]
    keyless: KeylessOptions,
}

/// How to sign without a key that lasts: as somebody whom an issuer of identities knows.
#[derive(clap::Args)]
struct KeylessOptions {
    /// Sign as who you are, or as the workflow that runs this, with a key made for the moment
    #[arg(long, conflicts_with = "key")]
    keyless: bool,
    /// Sign as whom this identity token names: the token, or a file that holds it
    #[arg(long, value_name = "TOKEN|FILE", conflicts_with = "key")]
    identity_token: Option<String>,
    /// How to log in where no CI system gives a token
    #[arg(long, value_name = "FLOW", value_enum, conflicts_with_all = ["key", "identity_token"])]
    fulcio_auth_flow: Option<Flow>,
    #[command(flatten)]
    endpoints: Endpoints,
    /// Whom certificates and logs are traced back to, a trusted_root.json: what is signed is verified with it before it
    /// is stored; by default that of kiln.toml, or what `kiln trust update` brought
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,
}

/// How a person logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Flow {
    /// At a browser of this machine.
    Normal,
    /// At any machine, by typing a code.
    Device,
}

impl SigningOptions {
    /// Whoever signs, ready to do so. What kiln.toml says counts where no key is named.
    pub(crate) fn signer(&self, context: &Context, config: &Config) -> Result<Signer, Failure> {
        if self.is_keyless(config) {
            return self.keyless.signer(context, config);
        }
        let key = Keys::signing(&context.machine, self.key.as_deref())?;
        let services = self.keyless.endpoints.witnesses()?;
        if services.logs.is_empty() && services.timestamps.is_empty() {
            return Ok(Signer::with_key(key)?);
        }
        Ok(Signer::witnessed(key, self.keyless.witnesses(context, config, services)?)?)
    }

    fn is_keyless(&self, config: &Config) -> bool {
        self.key.is_none() && self.keyless.is_meant(config)
    }

    /// Refuses to begin what ends with a signature that nobody here could verify.
    pub(crate) fn can_be_proven(&self, context: &Context, config: &Config) -> Result<(), Failure> {
        if self.is_keyless(config) {
            online(context)?;
            let root =
                trust::root_if_known(&context.machine, &config.trust, self.keyless.trusted_root.as_deref())?;
            root.ok_or_else(|| {
                Failure::usage("ship with a certificate: nothing says whom it is traced back to").with_help(
                    "name a trusted_root.json with --trusted-root FILE or in [trust] of kiln.toml, or bring one with \
                     `kiln trust update`",
                )
            })?;
        }
        Ok(())
    }

    /// Whether signing will make a key that lasts.
    pub(crate) fn makes_key(&self, context: &Context, config: &Config) -> bool {
        !self.is_keyless(config)
            && self.key.is_none()
            && !Keys::local(&context.machine).private_path().exists()
    }

    /// Where the public key of a signature lies, or what names it, that was made with a key.
    pub(crate) fn public_path(&self, context: &Context) -> PathBuf {
        let beside = self.key.as_ref().map(|key| match key.to_str().and_then(kiln_sign::shown) {
            Some(uri) => uri.into(),
            None => key.with_extension("pub"),
        });
        beside.unwrap_or_else(|| Keys::local(&context.machine).public_path())
    }

    /// For people: who signed.
    pub(crate) fn describe(&self, context: &Context, signer: &Signer) -> String {
        match signer.certificate() {
            Some(_) => signer.describe(),
            None => self.public_path(context).display().to_string(),
        }
    }
}

impl KeylessOptions {
    /// Whether a certificate is to sign, where no key is named.
    fn is_meant(&self, config: &Config) -> bool {
        self.keyless
            || self.identity_token.is_some()
            || self.fulcio_auth_flow.is_some()
            || self.endpoints.names_authority()
            || config.signing.is_set()
    }

    /// Gets a token and a certificate.
    fn signer(&self, context: &Context, config: &Config) -> Result<Signer, Failure> {
        let services = self.endpoints.services(context, config)?;
        let witnesses = self.witnesses(context, config, services)?;
        let token = self.token(config, &witnesses)?.valid_at(now())?;
        let is_proven = witnesses.root.is_some();
        let signer = Signer::certified(&token, witnesses)?;
        if !context.quiet {
            let proof = if is_proven { "" } else { "; nobody checks that, for want of a trusted root" };
            output::talk(&format!("signing as {}{proof}", signer.describe()));
        }
        Ok(signer)
    }

    fn witnesses(
        &self,
        context: &Context,
        config: &Config,
        services: Services,
    ) -> Result<Witnesses, Failure> {
        online(context)?;
        let root = trust::root_if_known(&context.machine, &config.trust, self.trusted_root.as_deref())?
            .map(Arc::new);
        let options =
            ExchangeOptions { ca_files: config.registry.ca_files.clone(), ..ExchangeOptions::default() };
        Ok(Witnesses { transport: Box::new(Exchange::new(options)?), services, root })
    }

    /// Who signs, by the word of an issuer.
    fn token(&self, config: &Config, witnesses: &Witnesses) -> Result<Token, Failure> {
        let transport = &*witnesses.transport;
        if let Some(given) = &self.identity_token {
            return Ok(Token::read(&given_token(given)?)?);
        }
        let job = if self.fulcio_auth_flow.is_some() { Ambient::default() } else { login::job() };
        if let Some(token) = ambient(transport, &job)? {
            return Ok(token);
        }
        let flow = match self.fulcio_auth_flow {
            Some(flow) => flow,
            None if login::somebody_is_there() => Flow::Normal,
            None => return Err(nobody()),
        };
        let client = self.client(config, &witnesses.services)?;
        log_in(transport, flow, &client, &Desk)
    }

    fn client(&self, config: &Config, services: &Services) -> Result<Client, Failure> {
        let named = self.endpoints.oidc_issuer.as_ref().or(config.signing.oidc_issuer.as_ref());
        let issuer = named.or(services.issuer.as_ref()).ok_or_else(|| {
            Failure::usage("log in to sign: nothing says who vouches for you")
                .with_help("name the issuer of identities with --oidc-issuer URL")
        })?;
        let id = self.endpoints.oidc_client_id.as_ref().or(config.signing.oidc_client_id.as_ref());
        let id = id.map_or(settings::CLIENT_ID, String::as_str).to_owned();
        Ok(Client { issuer: issuer.clone(), id })
    }
}

fn online(context: &Context) -> Result<(), Failure> {
    if !context.machine.offline {
        return Ok(());
    }
    let what = "sign with witnesses: --offline is set, and services must be asked";
    Err(Failure::new("kiln.offline", Class::Usage, what))
}

fn log_in(transport: &dyn Transport, flow: Flow, client: &Client, desk: &Desk) -> Result<Token, Failure> {
    Ok(match flow {
        Flow::Normal => in_browser(transport, client, desk)?,
        Flow::Device => by_device(transport, client, desk)?,
    })
}

fn nobody() -> Failure {
    Failure::usage("sign without a key: there is no identity token, and nobody to ask for one").with_help(
        "in GitHub Actions give the job `id-token: write`, in GitLab CI an id_tokens entry SIGSTORE_ID_TOKEN for \
         `sigstore`; elsewhere pass --identity-token FILE, or --fulcio-auth-flow device to log in at another machine",
    )
}

/// A token, or what a file holds that has this name.
fn given_token(given: &str) -> Result<String, Failure> {
    let path = Path::new(given);
    if !path.is_file() {
        return Ok(given.to_owned());
    }
    let failed = |error: std::io::Error| {
        Failure::new(
            "kiln.identity_token",
            Class::Usage,
            format!("read the identity token {}", path.display()),
        )
        .with_cause(error.to_string())
    };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(TOKEN_MAX as u64 + 1).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}
