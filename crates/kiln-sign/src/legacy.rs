//! Signatures and statements in the form of cosign before version 3.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use kiln_attest::{Statement, legacy};
use kiln_oci::{Descriptor, Digest, ImageConfig, Manifest, media_type};

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

/// The image whose layers are signatures or statements: its configuration and its manifest.
pub fn image(layers: Vec<Descriptor>) -> [(Descriptor, Vec<u8>); 2] {
    let mut config = ImageConfig::default();
    "layers".clone_into(&mut config.rootfs.kind);
    config.rootfs.diff_ids = layers.iter().map(|layer| layer.digest).collect();
    let config = config.to_bytes();
    let described = Descriptor::of(media_type::CONFIG, &config);
    let manifest = Manifest::image(described.clone(), layers).to_bytes();
    [(described, config), (Descriptor::of(media_type::MANIFEST, &manifest), manifest)]
}
