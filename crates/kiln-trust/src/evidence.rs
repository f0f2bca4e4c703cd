use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use kiln_attest::{Envelope, Statement, legacy, pae, predicate};
use kiln_oci::Digest;
use serde_json::{Value, json};

use crate::error::ErrorKind;
use crate::read::{about, malformed};
use crate::report::Signer;
use crate::{Authority, Error, PublicKey};

/// Something that was found beside an image and may be a signed statement about it.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The image that it must be about, or the index that holds it.
    pub about: Digest,
    /// Where it was found, for people: a digest or a tag.
    pub place: String,
    /// What it is.
    pub form: Form,
}

/// The ways in which signed statements are stored.
#[derive(Clone, Debug)]
pub enum Form {
    /// A Sigstore bundle, in a referrer.
    Bundle(Vec<u8>),
    /// A signature of cosign before version 3, under the tag `sha256-<hex>.sig`.
    LegacySignature {
        /// What is signed, byte for byte.
        payload: Vec<u8>,
        /// The annotations of its layer, one of which is the signature.
        annotations: BTreeMap<String, String>,
    },
    /// A statement of cosign before version 3, under the tag `sha256-<hex>.att`.
    LegacyStatement {
        /// A DSSE envelope, as JSON.
        envelope: Vec<u8>,
        /// The annotations of its layer.
        annotations: BTreeMap<String, String>,
    },
    /// A statement that nobody signed, as BuildKit keeps them in an index.
    Unsigned(Vec<u8>),
    /// It could not be fetched, and why.
    Unread(String),
}

impl Form {
    /// For people and programs.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Bundle(_) => "bundle",
            Self::LegacySignature { .. } => "legacy-signature",
            Self::LegacyStatement { .. } => "legacy-statement",
            Self::Unsigned(_) => "unsigned-statement",
            Self::Unread(_) => "unread",
        }
    }
}

/// Checks one piece of evidence, and yields what it says and who said it.
pub(crate) fn check(evidence: &Evidence, authority: &Authority) -> Result<(Statement, Signer), Error> {
    let image = &evidence.about;
    match &evidence.form {
        Form::Bundle(bytes) => authority.check(bytes, image),
        Form::LegacySignature { payload, annotations } => {
            let key = legacy_key(authority, annotations)?;
            let signature = annotations.get(legacy::SIGNATURE).map(String::as_str).unwrap_or_default();
            let signature = BASE64.decode(signature).map_err(|_| malformed("its signature is no base64"))?;
            if signature.is_empty() || !key.has_signed(payload, &signature) {
                return Err(ErrorKind::Signature.into());
            }
            Ok((signed_image(payload, image)?, Signer::Key { hint: key.hint() }))
        }
        Form::LegacyStatement { envelope, annotations } => {
            let key = legacy_key(authority, annotations)?;
            let envelope = Envelope::read(envelope).map_err(|source| ErrorKind::Bundle { source })?;
            if !key.has_signed(&pae(&envelope.payload), &envelope.signature) {
                return Err(ErrorKind::Signature.into());
            }
            Ok((about(&envelope.payload, image)?, Signer::Key { hint: key.hint() }))
        }
        Form::Unsigned(statement) => Err(unsigned(statement)),
        Form::Unread(why) => Err(ErrorKind::Malformed(why.clone()).into()),
    }
}

/// A statement that nobody signed counts for nothing, whatever it says. What it is about is the index's word: BuildKit writes
/// statements without a subject about images that it gives no name.
fn unsigned(statement: &[u8]) -> Error {
    let value: Value = serde_json::from_slice(statement).unwrap_or_default();
    match value["predicateType"].as_str() {
        Some(predicate_type) => ErrorKind::Unsigned(predicate_type.to_owned()).into(),
        None => malformed("it is no in-toto statement"),
    }
}

/// Only keys: a certificate in this form comes with proofs that nothing here checks.
fn legacy_key<'a>(
    authority: &'a Authority,
    annotations: &BTreeMap<String, String>,
) -> Result<&'a PublicKey, Error> {
    match authority {
        Authority::Key(key) => Ok(key),
        // The log's word stands in an annotation in this form, and that is not read.
        Authority::LoggedKey(_) => Err(ErrorKind::Log("it is in the form before bundles".to_owned()).into()),
        Authority::Certificate(_) if annotations.contains_key(legacy::CERTIFICATE) => {
            Err(ErrorKind::LegacyCertificate.into())
        }
        Authority::Certificate(_) => Err(ErrorKind::NoCertificate.into()),
    }
}

/// A signature of the old form, as the statement that it would be today.
fn signed_image(payload: &[u8], image: &Digest) -> Result<Statement, Error> {
    let signed = legacy::signed_image(payload).map_err(|source| ErrorKind::Bundle { source })?;
    if signed != image.to_string() {
        return Err(ErrorKind::Subject(*image).into());
    }
    Ok(Statement::about(image, predicate::SIGNATURE, json!({})))
}
