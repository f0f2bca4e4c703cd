//! Who must have signed, as the command line says it. Flags have the names they have in cosign.

use std::path::PathBuf;
use std::sync::Arc;

use kiln_finding::Failure;
use kiln_proof::trust::{claim, matcher};
use kiln_proof::{Keys, read_public, trust};
use kiln_trust::{Authority, Certified, Identity, LoggedKey};

use crate::config::Config;
use crate::context::Context;

/// Whom a signature must be by.
#[derive(clap::Args)]
pub(crate) struct AuthorityOptions {
    /// Public key that must have signed; by default what the rules of kiln.toml say of the image, without rules kiln's own
    #[arg(long, value_name = "FILE|URI", conflicts_with_all = ["certificate_identity", "certificate_identity_regexp"])]
    key: Option<PathBuf>,
    /// Identity in the certificate: an email address, or the URI of a workflow
    #[arg(long, value_name = "IDENTITY", conflicts_with = "certificate_identity_regexp")]
    certificate_identity: Option<String>,
    /// The same as a regular expression, which the whole identity must match
    #[arg(long, value_name = "REGEXP")]
    certificate_identity_regexp: Option<String>,
    /// Who vouched for the identity, as https://token.actions.githubusercontent.com
    #[arg(long, value_name = "URL", conflicts_with = "certificate_oidc_issuer_regexp")]
    certificate_oidc_issuer: Option<String>,
    /// The same as a regular expression, which the whole issuer must match
    #[arg(long, value_name = "REGEXP")]
    certificate_oidc_issuer_regexp: Option<String>,
    /// What else the certificate must say, as source-repository=https://github.com/org/app
    #[arg(long = "certificate-claim", value_name = "CLAIM=VALUE")]
    claims: Vec<String>,
    /// Certificate authorities, logs and timestamp authorities that are trusted: a trusted_root.json; by default what
    /// `kiln trust update` brought. With --key, a log of it must have the signature
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,
    /// Accept certificates that no certificate log has, as of a private authority without one
    #[arg(long)]
    insecure_ignore_sct: bool,
    /// How many different logs must have the signature (one, if nothing is said)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=16),
        conflicts_with_all = ["insecure_ignore_tlog", "key"])]
    min_logs: Option<u8>,
    /// Accept signatures that no log has, as of a private instance without one
    #[arg(long)]
    insecure_ignore_tlog: bool,
}

impl AuthorityOptions {
    /// Whether the command line leaves it to kiln.toml: a flag that a rule would not hear is none of kiln.toml's.
    pub(crate) fn is_unset(&self) -> bool {
        let Self { key, certificate_identity, certificate_identity_regexp, trusted_root, .. } = self;
        let Self { certificate_oidc_issuer, certificate_oidc_issuer_regexp, min_logs, .. } = self;
        let identity = [certificate_identity, certificate_identity_regexp];
        let issuer = [certificate_oidc_issuer, certificate_oidc_issuer_regexp];
        key.is_none()
            && trusted_root.is_none()
            && min_logs.is_none()
            && identity.iter().chain(&issuer).all(|given| given.is_none())
            && self.claims.is_empty()
            && !self.insecure_ignore_sct
            && !self.insecure_ignore_tlog
    }

    pub(crate) fn authority(&self, context: &Context, config: &Config) -> Result<Authority, Failure> {
        let subject =
            matcher(self.certificate_identity.as_deref(), self.certificate_identity_regexp.as_deref())?;
        let issuer =
            matcher(self.certificate_oidc_issuer.as_deref(), self.certificate_oidc_issuer_regexp.as_deref())?;
        let (subject, issuer) = match (subject, issuer) {
            (None, None) => return self.key(context, config),
            (Some(subject), Some(issuer)) => (subject, issuer),
            (Some(_), None) => return Err(half("--certificate-oidc-issuer", "who vouches for an identity")),
            (None, Some(_)) => return Err(half("--certificate-identity", "whom an issuer vouches for")),
        };
        let claims = self.claims.iter().map(|text| claim(text)).collect::<Result<_, _>>()?;
        Ok(Authority::Certificate(Box::new(Certified {
            root: Arc::new(trust::root(&context.machine, &config.trust, self.trusted_root.as_deref())?),
            identity: Identity { issuer, subject, claims },
            needs_certificate_log: !self.insecure_ignore_sct,
            logs: if self.insecure_ignore_tlog { 0 } else { self.min_logs.unwrap_or(1).into() },
        })))
    }

    fn key(&self, context: &Context, config: &Config) -> Result<Authority, Failure> {
        let has_root = self.trusted_root.is_some();
        let of_certificates = !self.claims.is_empty()
            || self.insecure_ignore_sct
            || self.insecure_ignore_tlog
            || self.min_logs.is_some();
        match &self.key {
            _ if of_certificates => {}
            // Whom logs are traced back to is told, so a log is asked for.
            Some(path) if has_root => {
                let root =
                    Arc::new(trust::root(&context.machine, &config.trust, self.trusted_root.as_deref())?);
                return Ok(Authority::LoggedKey(Box::new(LoggedKey { key: read_public(path)?, root })));
            }
            Some(path) => return Ok(read_public(path)?.into()),
            None if has_root => {}
            None => return Ok(Keys::local(&context.machine).public()?.into()),
        }
        Err(half("--certificate-identity and --certificate-oidc-issuer", "who must have signed"))
    }
}

fn half(missing: &str, what: &str) -> Failure {
    Failure::usage(format!("verify a certificate: nothing says {what}"))
        .with_help(format!("pass {missing}, too"))
}
