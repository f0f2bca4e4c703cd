//! Whether a file is signed by whom it must be.

use kiln_attest::{Bundle, Content};
use kiln_oci::Digest;
use sigstore_verify::types::{Artifact as SigstoreArtifact, SignatureContent};

use crate::artifact::by_key;
use crate::error::ErrorKind;
use crate::read::{about, artifact_of, malformed, read};
use crate::report::Verified;
use crate::{Artifact, Authority, Error};

/// Versions of bundles that files still have beside them; what they may hold is left to the library.
const OLDER: [&str; 2] = [
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
];

/// Checks the bundle beside a file: its signature is over the file, or over a statement about it. Yields the digest of
/// the file.
pub fn verify_blob(
    bytes: &[u8],
    authority: &Authority,
    artifact: Artifact<'_>,
) -> Result<Verified<Digest>, Error> {
    let value = artifact.digest();
    let whole = match artifact {
        Artifact::Bytes(bytes) => SigstoreArtifact::from(bytes),
        Artifact::Sha256(digest) => artifact_of(&digest)?,
    };
    let (payload, signer) = match authority {
        Authority::Key(key) => {
            let bundle = read(bytes)?;
            let signer = by_key(&bundle, key, artifact)?;
            (statement(&bundle).map(<[u8]>::to_vec), signer)
        }
        Authority::LoggedKey(logged) => {
            let bundle = read(bytes)?;
            let signer = by_key(&bundle, &logged.key, artifact)?;
            logged.witnessed(bytes, whole)?;
            (statement(&bundle).map(<[u8]>::to_vec), signer)
        }
        Authority::Certificate(certified) => {
            let strict = if is_older(bytes) { None } else { Some(read(bytes)?) };
            if strict.is_some_and(|bundle| !matches!(bundle.signer, kiln_attest::Signer::Certificate(_))) {
                return Err(ErrorKind::NoCertificate.into());
            }
            let (bundle, signer) = certified.check(bytes, whole)?;
            (payload(bundle.content)?, signer)
        }
    };
    if let Some(payload) = payload {
        about(&payload, &value)?;
    }
    Ok(Verified { value, signer })
}

/// The signed statement, where it is one.
fn payload(content: SignatureContent) -> Result<Option<Vec<u8>>, Error> {
    match content {
        SignatureContent::DsseEnvelope(envelope) => Ok(Some(envelope.payload.as_bytes().to_vec())),
        SignatureContent::MessageSignature(_) => Ok(None),
        _ => Err(malformed("it signs neither a file nor a statement")),
    }
}

fn is_older(bytes: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Version {
        media_type: String,
    }
    bytes.len() <= kiln_attest::BUNDLE_MAX
        && serde_json::from_slice::<Version>(bytes)
            .is_ok_and(|version| OLDER.contains(&version.media_type.as_str()))
}

/// The statement of a bundle that was read strictly, if it holds one.
fn statement(bundle: &Bundle) -> Option<&[u8]> {
    match &bundle.content {
        Content::Envelope(envelope) => Some(&envelope.payload),
        Content::Message { .. } => None,
    }
}
