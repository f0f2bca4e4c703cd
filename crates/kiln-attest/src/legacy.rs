//! What cosign before version 3 signs and how it keeps it: layers under a tag made of the image's digest.
//! Sources: cosign, `specs/SIGNATURE_SPEC.md`, `pkg/oci/static`; containers/image, "Simple signing".

use std::collections::BTreeMap;

use kiln_oci::{Descriptor, Digest, ImageConfig, Manifest, media_type};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::error::ErrorKind;

/// The type of a layer that is a signed payload; its signature is an annotation.
pub const SIGNATURE_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// The type of a layer that is a DSSE envelope.
pub const STATEMENT_TYPE: &str = "application/vnd.dsse.envelope.v1+json";
/// How the artifact types begin that cosign 2 gives to the same where a registry lists referrers.
pub const ARTIFACT_TYPES: &str = "application/vnd.dev.cosign.artifact.";
/// The annotation with the signature of a payload, in base64; empty beside an envelope.
pub const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// The annotation with the certificate, in PEM.
pub const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
/// The annotation with the type of a statement.
pub const PREDICATE_TYPE: &str = "predicateType";
/// What a payload says it is.
const KIND: &str = "cosign container image signature";

/// The tag that holds signatures (`sig`) or statements (`att`) about an image.
pub fn tag(image: &Digest, ending: &str) -> String {
    format!("sha256-{}.{ending}", image.hex())
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

/// A payload, as much of it as is looked at.
#[derive(Serialize, Deserialize)]
struct Payload {
    critical: Critical,
    #[serde(default)]
    optional: Option<serde_json::Value>,
}

#[derive(Serialize, Deserialize)]
struct Critical {
    #[serde(default)]
    identity: BTreeMap<String, String>,
    image: BTreeMap<String, String>,
    #[serde(rename = "type")]
    kind: String,
}

/// The payload that is signed for `image` of the repository `reference`: compact, in this order, with `<`, `>` and `&`
/// escaped as Go does. The signature is over these bytes.
pub fn payload(reference: &str, image: &Digest) -> Vec<u8> {
    let one = |key: &str, value: String| BTreeMap::from([(key.to_owned(), value)]);
    let critical = Critical {
        identity: one("docker-reference", reference.to_owned()),
        image: one("docker-manifest-digest", image.to_string()),
        kind: KIND.to_owned(),
    };
    let text = serde_json::to_string(&Payload { critical, optional: None }).expect("texts are JSON");
    text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026").into_bytes()
}

/// The digest of the image that a payload is about.
pub fn signed_image(payload: &[u8]) -> Result<String, Error> {
    let what = "signature payload";
    let payload: Payload =
        serde_json::from_slice(payload).map_err(|source| ErrorKind::Json { what, source })?;
    if payload.critical.kind != KIND {
        return Err(Error::unfit(what, "is of another type"));
    }
    let digest = payload.critical.image.get("docker-manifest-digest");
    digest.cloned().ok_or_else(|| Error::unfit(what, "names no image"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_has_the_bytes_that_cosign_writes() {
        let image = Digest::of(b"");
        let text = String::from_utf8(payload("127.0.0.1:15000/a&b", &image)).unwrap();
        let expected = format!(
            "{{\"critical\":{{\"identity\":{{\"docker-reference\":\"127.0.0.1:15000/a\\u0026b\"}},\"image\":{{\"docker-manifest-digest\":\"{image}\"}},\
             \"type\":\"cosign container image signature\"}},\"optional\":null}}"
        );
        assert_eq!(text, expected);
        assert_eq!(signed_image(text.as_bytes()).unwrap(), image.to_string());
    }

    #[test]
    fn another_type_is_no_signature() {
        let text = String::from_utf8(payload("a", &Digest::of(b""))).unwrap();
        assert!(signed_image(text.replace("cosign container", "other").as_bytes()).is_err());
        assert!(signed_image(text.replace("manifest-digest", "x").as_bytes()).is_err());
        assert!(signed_image(b"{}").is_err());
    }
}
