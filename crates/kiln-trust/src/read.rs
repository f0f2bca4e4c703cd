//! Bundles, statements and digests as this crate and its library take them.

use kiln_attest::{Bundle, Statement};
use kiln_oci::Digest;
use sigstore_verify::types::{Artifact as SigstoreArtifact, Bundle as SigstoreBundle, Sha256Hash};

use crate::Error;
use crate::error::ErrorKind;

/// Reads a bundle of today's version. The library passes over fields that it does not know.
pub(crate) fn read(bytes: &[u8]) -> Result<Bundle, Error> {
    Ok(Bundle::read(bytes).map_err(|source| ErrorKind::Bundle { source })?)
}

/// The statement of a payload, if it is about the image.
pub(crate) fn about(payload: &[u8], image: &Digest) -> Result<Statement, Error> {
    let statement = Statement::read(payload).map_err(|source| ErrorKind::Statement { source })?;
    if statement.is_about(image) { Ok(statement) } else { Err(ErrorKind::Subject(*image).into()) }
}

/// An image, or a file of which only the digest is known, as the library takes it.
pub(crate) fn artifact_of(digest: &Digest) -> Result<SigstoreArtifact<'static>, Error> {
    let hash = Sha256Hash::try_from(digest.as_bytes().as_slice());
    Ok(hash.map_err(|error| malformed(&error.to_string()))?.into())
}

pub(crate) fn parse(bytes: &[u8]) -> Result<SigstoreBundle, Error> {
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is no UTF-8"))?;
    SigstoreBundle::from_json(text).map_err(|error| malformed(&error.to_string()))
}

pub(crate) fn malformed(why: &str) -> Error {
    ErrorKind::Malformed(why.to_owned()).into()
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
