//! Whether a bundle is signed by whom it must be.

use std::sync::Arc;

use kiln_attest::{Bundle, Statement, pae};
use kiln_oci::Digest;
use sigstore_verify::types::{Bundle as SigstoreBundle, Sha256Hash, SignatureContent};
use sigstore_verify::{VerificationPolicy, VerificationResult};

use crate::error::ErrorKind;
use crate::report::Signer;
use crate::{Claim, Error, Identity, PublicKey, TrustRoot};

/// Who must have signed.
#[derive(Debug)]
pub enum Authority {
    /// Whoever has the other half of this key.
    Key(PublicKey),
    /// Somebody with a certificate of an authority that is trusted.
    Certificate(Box<Certified>),
}

/// Who may sign with a certificate, and what must be known of it.
#[derive(Debug)]
pub struct Certified {
    /// Whom certificates and logs are traced back to.
    pub root: Arc<TrustRoot>,
    /// Who.
    pub identity: Identity,
    /// The certificate must be in a log. Only a private authority without one may do without.
    pub needs_certificate_log: bool,
    /// The signature must be in a log. Only a private authority without one may do without.
    pub needs_log: bool,
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
        match self {
            Self::Key(key) => by_key(bytes, key, image),
            Self::Certificate(certified) => by_certificate(bytes, certified, image),
        }
    }

    /// For people: who that is.
    pub fn describe(&self) -> String {
        match self {
            Self::Key(key) => format!("the {} key {}", key.kind(), key.hint()),
            Self::Certificate(certified) => {
                let Identity { issuer, subject, .. } = &certified.identity;
                format!("{subject}, as {issuer} says, by {}", certified.root.origin())
            }
        }
    }
}

fn by_key(bytes: &[u8], key: &PublicKey, image: &Digest) -> Result<(Statement, Signer), Error> {
    let bundle = Bundle::read(bytes).map_err(|source| ErrorKind::Bundle { source })?;
    // The hint is not asked: it is not signed, and the key alone decides.
    if !key.has_signed(&pae(&bundle.envelope.payload), &bundle.envelope.signature) {
        return Err(ErrorKind::Signature.into());
    }
    Ok((about(&bundle.envelope.payload, image)?, Signer::Key { hint: key.hint() }))
}

/// The statement of a payload, if it is about the image.
pub(crate) fn about(payload: &[u8], image: &Digest) -> Result<Statement, Error> {
    let statement = Statement::read(payload).map_err(|source| ErrorKind::Statement { source })?;
    if statement.is_about(image) { Ok(statement) } else { Err(ErrorKind::Subject(*image).into()) }
}

fn by_certificate(bytes: &[u8], certified: &Certified, image: &Digest) -> Result<(Statement, Signer), Error> {
    let malformed = |why: String| Error::from(ErrorKind::Malformed(why));
    // The library passes over fields that it does not know.
    let signed = Bundle::read_certified(bytes).map_err(|source| match Bundle::read(bytes) {
        Ok(_) => ErrorKind::NoCertificate,
        Err(_) => ErrorKind::Bundle { source },
    })?;
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is no UTF-8".to_owned()))?;
    let bundle = SigstoreBundle::from_json(text).map_err(|error| malformed(error.to_string()))?;
    let mut policy = VerificationPolicy::any_identity();
    if !certified.needs_certificate_log {
        policy = policy.skip_sct();
    }
    if !certified.needs_log {
        policy = policy.skip_tlog_unsafe();
    }
    let hash =
        Sha256Hash::try_from(image.as_bytes().as_slice()).map_err(|error| malformed(error.to_string()))?;
    let verified = certified
        .root
        .verifier
        .verify(hash, &bundle, &policy)
        .map_err(|error| ErrorKind::Certificate(with_causes(&error)))?;
    // What the library was told to leave out must not be taken for checked.
    if !verified.certificate_verified()
        || (certified.needs_log && !verified.tlog_verified())
        || (certified.needs_certificate_log && !verified.sct_verified())
    {
        return Err(ErrorKind::Certificate("not everything was checked".to_owned()).into());
    }
    let signer = signer(&verified, &certified.identity)?;
    // Both readers have seen the same bytes.
    match &bundle.content {
        SignatureContent::DsseEnvelope(envelope) if envelope.payload.as_bytes() == signed.payload => {}
        _ => return Err(malformed("it is read in two ways".to_owned())),
    }
    Ok((about(&signed.payload, image)?, signer))
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

pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
