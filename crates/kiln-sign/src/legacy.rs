//! Signatures and statements in the form of cosign before version 3.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use kiln_attest::{Statement, legacy};
use kiln_oci::{Descriptor, Digest};

use crate::{Error, KeyPair};

/// Signs an image of the repository `reference`: a layer with its bytes.
pub fn sign(key: &KeyPair, image: &Digest, reference: &str) -> Result<(Descriptor, Vec<u8>), Error> {
    let payload = legacy::payload(reference, image);
    let mut layer = Descriptor::of(legacy::SIGNATURE_TYPE, &payload);
    let signature = BASE64.encode(key.sign_bytes(&payload)?);
    layer.annotations.insert(legacy::SIGNATURE.to_owned(), signature);
    Ok((layer, payload))
}

/// Signs a statement: a layer with its bytes.
pub fn attest(key: &KeyPair, statement: &Statement) -> Result<(Descriptor, Vec<u8>), Error> {
    let envelope = key.envelope(statement)?.to_bytes();
    let mut layer = Descriptor::of(legacy::STATEMENT_TYPE, &envelope);
    // Readers want the annotation to be there.
    layer.annotations.insert(legacy::SIGNATURE.to_owned(), String::new());
    layer.annotations.insert(legacy::PREDICATE_TYPE.to_owned(), statement.predicate_type.clone());
    Ok((layer, envelope))
}
