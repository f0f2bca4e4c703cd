use std::collections::BTreeMap;

use kiln_attest::Bundle;
use kiln_oci::{Descriptor, Manifest, media_type};

/// A bundle with the manifest that makes it a referrer of an image. All three are to be stored, then the manifest
/// published without a tag.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// The manifest; its descriptor carries artifact type and annotations, as the index of an image wants them.
    pub manifest: (Descriptor, Vec<u8>),
    /// The bundle.
    pub bundle: (Descriptor, Vec<u8>),
    /// The empty config.
    pub config: (Descriptor, Vec<u8>),
}

/// Makes the referrer manifest as cosign 3 does. `created` is an RFC 3339 time.
pub fn attach(bundle: &Bundle, predicate_type: &str, image: &Descriptor, created: &str) -> Attachment {
    let bytes = bundle.to_bytes();
    let layer = Descriptor::of(media_type::SIGSTORE_BUNDLE, &bytes);
    let config_bytes = b"{}".to_vec();
    let mut config = Descriptor::of(media_type::EMPTY, &config_bytes);
    config.artifact_type = Some(media_type::SIGSTORE_BUNDLE.to_owned());
    let annotations = BTreeMap::from(
        [
            ("org.opencontainers.image.created", created),
            ("dev.sigstore.bundle.content", "dsse-envelope"),
            ("dev.sigstore.bundle.predicateType", predicate_type),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned())),
    );
    let mut manifest = Manifest::image(config.clone(), vec![layer.clone()]);
    manifest.artifact_type = Some(media_type::SIGSTORE_BUNDLE.to_owned());
    manifest.subject = Some(Descriptor::new(&image.media_type, image.digest, image.size));
    manifest.annotations.clone_from(&annotations);
    let manifest_bytes = manifest.to_bytes();
    let mut descriptor = Descriptor::of(media_type::MANIFEST, &manifest_bytes);
    descriptor.artifact_type = Some(media_type::SIGSTORE_BUNDLE.to_owned());
    descriptor.annotations = annotations;
    Attachment {
        manifest: (descriptor, manifest_bytes),
        bundle: (layer, bytes),
        config: (config, config_bytes),
    }
}
