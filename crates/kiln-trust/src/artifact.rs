use kiln_attest::{Bundle, Content, pae};
use kiln_oci::Digest;

use crate::error::ErrorKind;
use crate::{Error, PublicKey, Signer};

/// A file, or as much of it as is known.
#[derive(Clone, Copy, Debug)]
pub enum Artifact<'a> {
    /// All of it.
    Bytes(&'a [u8]),
    /// Its SHA-256.
    Sha256(Digest),
}

impl Artifact<'_> {
    pub(crate) fn digest(&self) -> Digest {
        match self {
            Self::Bytes(bytes) => Digest::of(bytes),
            Self::Sha256(digest) => *digest,
        }
    }
}

/// By a key, without a log. The name of the key is not asked: it is not signed, and the key alone decides.
pub(crate) fn by_key(bundle: &Bundle, key: &PublicKey, artifact: Artifact<'_>) -> Result<Signer, Error> {
    if !matches!(bundle.signer, kiln_attest::Signer::Key { .. }) {
        return Err(ErrorKind::NoKey.into());
    }
    let is_right = match &bundle.content {
        Content::Envelope(envelope) => key.has_signed(&pae(&envelope.payload), &envelope.signature),
        // A digest that is wrong means that somebody meant another file.
        Content::Message { digest, .. } if digest.as_slice() != artifact.digest().as_bytes() => {
            return Err(ErrorKind::File.into());
        }
        Content::Message { signature, .. } => match artifact {
            Artifact::Bytes(bytes) => key.has_signed(bytes, signature),
            Artifact::Sha256(digest) => key.has_signed_digest(digest.as_bytes(), signature),
        },
    };
    if is_right { Ok(Signer::Key { hint: key.hint() }) } else { Err(ErrorKind::Signature.into()) }
}
