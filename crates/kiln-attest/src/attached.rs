//! Statements as BuildKit keeps them: unsigned, in a manifest beside the image's own in an index.
//! Source: BuildKit, `docs/attestations/attestation-storage.md`.

use std::collections::BTreeMap;

use kiln_oci::{Descriptor, Digest, Manifest, Platform, media_type};

/// The type of a layer that is a statement.
pub const STATEMENT_TYPE: &str = crate::envelope::PAYLOAD_TYPE;
/// The annotation of such a layer with the type of its predicate.
pub const PREDICATE_TYPE: &str = "in-toto.io/predicate-type";
/// What the manifest says it is, since BuildKit 0.32; before, it was like an image.
const ARTIFACT_TYPE: &str = "application/vnd.docker.attestation.manifest.v1+json";
/// The annotations of its entry in the index.
const KIND: &str = "vnd.docker.reference.type";
const KIND_VALUE: &str = "attestation-manifest";
const IMAGE: &str = "vnd.docker.reference.digest";

/// Statements about one image, ready to be stored.
#[derive(Clone, Debug)]
pub struct Attached {
    /// The manifest; its descriptor is the entry of an index.
    pub manifest: (Descriptor, Vec<u8>),
    /// What it points to.
    pub blobs: Vec<(Descriptor, Vec<u8>)>,
}

/// Makes the manifest for `image` out of statements, each with the type of its predicate, in their order.
pub fn attach(image: &Descriptor, statements: &[(String, Vec<u8>)]) -> Attached {
    let annotated = |(predicate_type, bytes): &(String, Vec<u8>)| {
        let mut layer = Descriptor::of(STATEMENT_TYPE, bytes);
        layer.annotations.insert(PREDICATE_TYPE.to_owned(), predicate_type.clone());
        (layer, bytes.clone())
    };
    let mut blobs: Vec<_> = statements.iter().map(annotated).collect();
    let layers = blobs.iter().map(|(layer, _)| layer.clone()).collect();
    let config = Descriptor::of(media_type::EMPTY, b"{}");
    let mut manifest = Manifest::image(config.clone(), layers);
    manifest.artifact_type = Some(ARTIFACT_TYPE.to_owned());
    manifest.subject = Some(Descriptor::new(&image.media_type, image.digest, image.size));
    let bytes = manifest.to_bytes();
    let mut entry = Descriptor::of(media_type::MANIFEST, &bytes);
    let unknown = || "unknown".to_owned();
    entry.platform = Some(Platform { architecture: unknown(), os: unknown(), variant: None });
    entry.annotations = BTreeMap::from([
        (KIND.to_owned(), KIND_VALUE.to_owned()),
        (IMAGE.to_owned(), image.digest.to_string()),
    ]);
    blobs.push((config, b"{}".to_vec()));
    Attached { manifest: (entry, bytes), blobs }
}

/// Whether an entry of an index holds statements about `image`.
pub fn is_about(entry: &Descriptor, image: &Digest) -> bool {
    is_attached(entry) && entry.annotations.get(IMAGE).is_some_and(|named| *named == image.to_string())
}

/// Whether an entry of an index holds statements, and is no image.
pub fn is_attached(entry: &Descriptor) -> bool {
    entry.annotations.get(KIND).is_some_and(|kind| kind == KIND_VALUE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_names_its_image_and_the_manifest_its_statements() {
        let image = Descriptor::of(media_type::MANIFEST, b"image");
        let attached = attach(&image, &[("https://spdx.dev/Document".to_owned(), b"{\"a\":1}".to_vec())]);
        let (entry, bytes) = &attached.manifest;
        assert!(is_about(entry, &image.digest) && !is_about(entry, &Digest::of(b"other")));
        assert!(is_attached(entry) && !is_attached(&image));
        let manifest: Manifest = serde_json::from_slice(bytes).unwrap();
        assert_eq!(manifest.layers[0].annotations[PREDICATE_TYPE], "https://spdx.dev/Document");
        assert_eq!(manifest.subject.unwrap().digest, image.digest);
        assert_eq!(attached.blobs.len(), 2);
        // What is pointed to is there, byte for byte.
        for (descriptor, bytes) in &attached.blobs {
            assert_eq!(descriptor.digest, Digest::of(bytes));
        }
    }
}
