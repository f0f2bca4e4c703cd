//! Whether a bundle is signed by whom it must be.

use std::sync::Arc;

use kiln_attest::{Content, Statement};
use kiln_oci::Digest;
use sigstore_verify::types::Artifact as SigstoreArtifact;
use sigstore_verify::types::{Bundle as SigstoreBundle, DerPublicKey, SignatureContent};
use sigstore_verify::{PublicKeyVerificationPolicy, VerificationPolicy, VerificationResult, Verifier};

use crate::artifact::{Artifact, by_key};
use crate::error::ErrorKind;
use crate::read::{about, artifact_of, malformed, parse, read, with_causes};
use crate::report::Signer;
use crate::{Claim, Error, Identity, PublicKey, TrustRoot};

/// Who must have signed.
#[derive(Debug)]
pub enum Authority {
    /// Whoever has the other half of this key.
    Key(PublicKey),
    /// The same, and a log must say so.
    LoggedKey(Box<LoggedKey>),
    /// Somebody with a certificate of an authority that is trusted.
    Certificate(Box<Certified>),
}

/// Whoever has the other half of a key, with a log as witness.
#[derive(Debug)]
pub struct LoggedKey {
    /// The key.
    pub key: PublicKey,
    /// Which logs are trusted.
    pub root: Arc<TrustRoot>,
}

/// Entries of one bundle that are looked at when logs are counted.
const ENTRIES_MAX: usize = 8;

/// Who may sign with a certificate, and what must be known of it.
#[derive(Debug)]
pub struct Certified {
    /// Whom certificates and logs are traced back to.
    pub root: Arc<TrustRoot>,
    /// Who.
    pub identity: Identity,
    /// The certificate must be in a log. Only a private authority without one may do without.
    pub needs_certificate_log: bool,
    /// How many different logs must have the signature. Only a private authority without one may do with none.
    pub logs: usize,
}

impl From<PublicKey> for Authority {
    fn from(key: PublicKey) -> Self {
        Self::Key(key)
    }
}

impl Authority {
    /// Checks the signature of a bundle about `image`, and yields what it says and who said it. The predicate type is
    /// left to the caller.
    pub(crate) fn check(&self, bytes: &[u8], image: &Digest) -> Result<(Statement, Signer), Error> {
        let bundle = read(bytes)?;
        let Content::Envelope(envelope) = &bundle.content else {
            return Err(malformed("it signs a file, and holds no statement"));
        };
        let signer = match self {
            Self::Key(key) => by_key(&bundle, key, Artifact::Sha256(*image))?,
            Self::LoggedKey(logged) => {
                let signer = by_key(&bundle, &logged.key, Artifact::Sha256(*image))?;
                logged.witnessed(bytes, artifact_of(image)?)?;
                signer
            }
            Self::Certificate(certified) => {
                if !matches!(bundle.signer, kiln_attest::Signer::Certificate(_)) {
                    return Err(ErrorKind::NoCertificate.into());
                }
                let (parsed, signer) = certified.check(bytes, artifact_of(image)?)?;
                // Both readers have seen the same bytes.
                match parsed.content {
                    SignatureContent::DsseEnvelope(other) if other.payload.as_bytes() == envelope.payload => {
                    }
                    _ => return Err(malformed("it is read in two ways")),
                }
                signer
            }
        };
        Ok((about(&envelope.payload, image)?, signer))
    }

    /// For people: who that is.
    pub fn describe(&self) -> String {
        match self {
            Self::Key(key) => format!("the {} key {}", key.kind(), key.hint()),
            Self::LoggedKey(logged) => {
                format!("the {} key {}, in a log", logged.key.kind(), logged.key.hint())
            }
            Self::Certificate(certified) => {
                let Identity { issuer, subject, .. } = &certified.identity;
                format!("{subject}, as {issuer} says, by {}", certified.root.origin())
            }
        }
    }
}

impl LoggedKey {
    /// Checks signature, log and timestamps by the library.
    pub(crate) fn witnessed(
        &self,
        bytes: &[u8],
        artifact: SigstoreArtifact<'_>,
    ) -> Result<SigstoreBundle, Error> {
        let bundle = parse(bytes)?;
        let policy = PublicKeyVerificationPolicy::new(DerPublicKey::new(self.key.spki().to_vec()));
        let verified = self.root.verifier.verify(artifact, &bundle, &policy);
        let verified = verified.map_err(|error| ErrorKind::Log(with_causes(&error)))?;
        if !verified.tlog_verified() || bundle.verification_material.tlog_entries.is_empty() {
            return Err(ErrorKind::Log("no log entry was checked".to_owned()).into());
        }
        Ok(bundle)
    }
}

impl Certified {
    /// Checks all but what the signed bytes say, by the library, and who signed.
    pub(crate) fn check(
        &self,
        bytes: &[u8],
        artifact: SigstoreArtifact<'_>,
    ) -> Result<(SigstoreBundle, Signer), Error> {
        let bundle = parse(bytes)?;
        let mut policy = VerificationPolicy::any_identity();
        if !self.needs_certificate_log {
            policy = policy.skip_sct();
        }
        if self.logs == 0 {
            policy = policy.skip_tlog_unsafe();
        }
        let verified = self.root.verifier.verify(artifact.clone(), &bundle, &policy);
        let verified = verified.map_err(|error| ErrorKind::Certificate(with_causes(&error)))?;
        // What the library was told to leave out must not be taken for checked.
        if !verified.certificate_verified()
            || (self.logs > 0 && !verified.tlog_verified())
            || (self.needs_certificate_log && !verified.sct_verified())
        {
            return Err(ErrorKind::Certificate("not everything was checked".to_owned()).into());
        }
        let signer = signer(&verified, &self.identity)?;
        if self.logs > 1 {
            self.count_logs(&bundle, artifact, &policy)?;
        }
        Ok((bundle, signer))
    }

    /// Counts logs, not entries: a log counts if one of the entries is accepted where nobody knows another log. What an entry says
    /// of itself is not asked (CVE-2026-49834).
    fn count_logs(
        &self,
        bundle: &SigstoreBundle,
        artifact: SigstoreArtifact<'_>,
        policy: &VerificationPolicy,
    ) -> Result<(), Error> {
        let entries = &bundle.verification_material.tlog_entries;
        let alone = |entry: &_| {
            let mut bundle = bundle.clone();
            bundle.verification_material.tlog_entries = vec![Clone::clone(entry)];
            bundle
        };
        let alone: Vec<SigstoreBundle> = entries.iter().take(ENTRIES_MAX).map(alone).collect();
        let accepts = |log: &&Verifier| {
            alone.iter().any(|bundle| {
                let verified = log.verify(artifact.clone(), bundle, policy);
                verified.is_ok_and(|verified| verified.tlog_verified())
            })
        };
        let found = self.root.each_log.iter().filter(accepts).count();
        if found >= self.logs {
            return Ok(());
        }
        Err(ErrorKind::Logs { found, wanted: self.logs }.into())
    }
}

/// Who signed, if that is who it must be.
fn signer(verified: &VerificationResult, wanted: &Identity) -> Result<Signer, Error> {
    let issuer = verified.issuer().unwrap_or_default();
    let subject = verified.identity().map(sigstore_verify::SubjectAltName::as_str).unwrap_or_default();
    for (what, matcher, found) in [("issuer", &wanted.issuer, issuer), ("subject", &wanted.subject, subject)]
    {
        if !matcher.is_match(found) {
            return Err(
                ErrorKind::Identity { what, wanted: matcher.to_string(), found: found.to_owned() }.into()
            );
        }
    }
    for (claim, matcher) in &wanted.claims {
        let found = claimed(verified, *claim).unwrap_or_default();
        if !matcher.is_match(&found) {
            let (what, wanted) = (claim.as_str(), matcher.to_string());
            return Err(ErrorKind::Identity { what, wanted, found }.into());
        }
    }
    let times = verified.verified_timestamps();
    Ok(Signer::Certificate {
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
        signed_at: times.iter().min().map(ToString::to_string),
    })
}

fn claimed(verified: &VerificationResult, claim: Claim) -> Option<String> {
    let claims = &verified.certificate()?.ci_claims;
    match claim {
        Claim::SourceRepository => claims.source_repository_uri.clone(),
        Claim::SourceDigest => claims.source_repository_digest.clone(),
        Claim::SourceRef => claims.source_repository_ref.clone(),
        Claim::SourceRepositoryId => claims.source_repository_identifier.clone(),
        Claim::OwnerId => claims.source_repository_owner_identifier.clone(),
        Claim::BuildSigner => claims.build_signer_uri.clone(),
        Claim::Trigger => claims.build_trigger.clone(),
        Claim::Runner => claims.runner_environment.clone(),
    }
}
