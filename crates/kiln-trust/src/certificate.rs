use sigstore_verify::crypto::{SubjectAltName, parse_certificate_info};
use sigstore_verify::types::DerCertificate;

use crate::Error;
use crate::error::ErrorKind;

/// The largest certificate that is read, in bytes.
const CERTIFICATE_MAX: usize = 64 << 10;

/// What a certificate says. That it says so makes nothing true: nobody has vouched for it yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The key that it is about: SubjectPublicKeyInfo, DER.
    pub spki: Vec<u8>,
    /// Who told the authority of the subject.
    pub issuer: String,
    /// Whom it is about: an email address, or the URI of a workflow.
    pub subject: String,
    /// The CI workflow that it was made for, as the URI of its definition (1.9 of fulcio's `oid-info.md`); none for a person.
    pub build_signer: Option<String>,
    /// From when it is valid, in seconds since 1970.
    pub not_before: i64,
    /// Until when.
    pub not_after: i64,
}

impl Certificate {
    /// Reads a certificate of a signer (X.509, DER). One that names nobody is none.
    pub fn read(der: &[u8]) -> Result<Self, Error> {
        let failed = |why: String| Error::from(ErrorKind::Unreadable(why));
        if der.len() > CERTIFICATE_MAX {
            return Err(failed("it is larger than 64 KiB".to_owned()));
        }
        let info = parse_certificate_info(&DerCertificate::new(der.to_vec()))
            .map_err(|error| failed(error.to_string()))?;
        let subject = info.identity.as_ref().map(SubjectAltName::as_str).unwrap_or_default();
        let issuer = info.issuer.unwrap_or_default();
        if subject.is_empty() || issuer.is_empty() {
            return Err(failed("it does not say who signs, or by whose word".to_owned()));
        }
        Ok(Self {
            spki: info.public_key.as_bytes().to_vec(),
            subject: subject.to_owned(),
            build_signer: info.ci_claims.build_signer_uri.clone().filter(|uri| !uri.is_empty()),
            issuer,
            not_before: info.not_before.as_second(),
            not_after: info.not_after.as_second(),
        })
    }
}
