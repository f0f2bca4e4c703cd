mod json;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use kiln_oci::media_type;

use self::json::{
    BundleJson, DigestJson, KeyJson, MaterialJson, MessageJson, RawJson, TimestampJson, TimestampsJson, unfit,
};
use crate::error::decode;
use crate::{Envelope, Error, LogEntry};

/// Limits of sigstore-go, so that what kiln accepts others accept.
const ENTRIES_MAX: usize = 32;
const TIMESTAMPS_MAX: usize = 32;
/// The only digest of signed files that is written and read.
const SHA256: &str = "SHA2_256";

/// A Sigstore bundle, version 0.3 (0.1 and 0.2 are read): something signed, and what proves by whom and when.
/// Source: sigstore protobuf-specs, `sigstore_bundle.proto`, in its JSON form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// Whose signature it is.
    pub signer: Signer,
    /// What is signed.
    pub content: Content,
    /// What logs say of the signature.
    pub log_entries: Vec<LogEntry>,
    /// Timestamps of the signature, as RFC 3161 answers.
    pub timestamps: Vec<Vec<u8>>,
}

/// Whose signature a bundle holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// Of a key that the reader has.
    Key {
        /// Tells which key: base64 of the SHA-256 of its SPKI. A hint only.
        hint: String,
    },
    /// Of the key in this certificate (X.509, DER).
    Certificate(Vec<u8>),
}

/// What a bundle holds a signature of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A statement.
    Envelope(Envelope),
    /// A file that lies elsewhere.
    Message {
        /// The SHA-256 of the file. A hint only.
        digest: Vec<u8>,
        /// The signature over the file.
        signature: Vec<u8>,
    },
}

impl Content {
    /// The signature, as bytes.
    pub fn signature(&self) -> &[u8] {
        match self {
            Self::Envelope(envelope) => &envelope.signature,
            Self::Message { signature, .. } => signature,
        }
    }
}

impl Bundle {
    /// Reads a bundle. Fields that the format does not have, and other versions than 0.1 to 0.3, are errors.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let BundleJson { verification_material: material, dsse_envelope, message_signature, .. } =
            BundleJson::read(bytes)?;
        let signer = match (material.public_key, material.certificate, material.x509_certificate_chain) {
            (Some(key), None, None) => Signer::Key { hint: key.hint },
            (None, Some(certificate), None) => {
                Signer::Certificate(decode("certificate", &certificate.raw_bytes)?)
            }
            (None, None, Some(chain)) => match chain.certificates.first() {
                Some(first) => Signer::Certificate(decode("certificate", &first.raw_bytes)?),
                None => return Err(unfit("must name either a key or a certificate")),
            },
            _ => return Err(unfit("must name either a key or a certificate")),
        };
        let content = match (dsse_envelope, message_signature) {
            (Some(envelope), None) => Content::Envelope(Envelope::from_json(envelope)?),
            (None, Some(message)) => message.content()?,
            _ => return Err(unfit("must hold either an envelope or the signature of a file")),
        };
        let timestamps =
            material.timestamp_verification_data.map(|data| data.rfc3161_timestamps).unwrap_or_default();
        if material.tlog_entries.len() > ENTRIES_MAX || timestamps.len() > TIMESTAMPS_MAX {
            return Err(unfit("has more than 32 log entries or timestamps"));
        }
        let entries = material.tlog_entries.into_iter().map(LogEntry::from_json);
        let timestamps = timestamps.iter().map(|stamp| decode("timestamp", &stamp.signed_timestamp));
        Ok(Self {
            signer,
            content,
            log_entries: entries.collect::<Result<_, _>>()?,
            timestamps: timestamps.collect::<Result<_, _>>()?,
        })
    }

    /// The JSON that is stored beside the image.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (public_key, certificate) = match &self.signer {
            Signer::Key { hint } => (Some(KeyJson { hint: hint.clone() }), None),
            Signer::Certificate(der) => (None, Some(RawJson { raw_bytes: BASE64.encode(der) })),
        };
        let (dsse_envelope, message_signature) = match &self.content {
            Content::Envelope(envelope) => (Some(envelope.json()), None),
            Content::Message { digest, signature } => (None, Some(MessageJson::of(digest, signature))),
        };
        let stamp = |stamp: &Vec<u8>| TimestampJson { signed_timestamp: BASE64.encode(stamp) };
        let json = BundleJson {
            media_type: media_type::SIGSTORE_BUNDLE.to_owned(),
            verification_material: MaterialJson {
                public_key,
                certificate,
                x509_certificate_chain: None,
                tlog_entries: self.log_entries.iter().map(LogEntry::json).collect(),
                timestamp_verification_data: (!self.timestamps.is_empty()).then(|| TimestampsJson {
                    rfc3161_timestamps: self.timestamps.iter().map(stamp).collect(),
                }),
            },
            dsse_envelope,
            message_signature,
        };
        serde_json::to_vec(&json).expect("a bundle holds only strings")
    }
}

impl MessageJson {
    fn of(digest: &[u8], signature: &[u8]) -> Self {
        Self {
            message_digest: DigestJson { algorithm: SHA256.to_owned(), digest: BASE64.encode(digest) },
            signature: BASE64.encode(signature),
        }
    }

    fn content(self) -> Result<Content, Error> {
        if self.message_digest.algorithm != SHA256 {
            return Err(unfit("names a file by another digest than SHA-256"));
        }
        Ok(Content::Message {
            digest: decode("digest of a file", &self.message_digest.digest)?,
            signature: decode("signature", &self.signature)?,
        })
    }
}

#[cfg(test)]
mod tests;
