use std::collections::BTreeMap;

use kiln_finding::Cause;

use super::*;

/// Content by its digest.
#[derive(Default)]
struct Memory(BTreeMap<Digest, Vec<u8>>);

impl Source for Memory {
    type Error = Cause;

    fn resolve(&self, _: &str) -> Result<Option<Descriptor>, Cause> {
        Ok(None)
    }

    fn open(&self, content: &Descriptor) -> Result<Box<dyn Read + Send + '_>, Cause> {
        Ok(Box::new(self.0[&content.digest].as_slice()))
    }

    fn referrers(&self, _: &Digest) -> Result<kiln_image::Listed, Cause> {
        Ok(kiln_image::Listed::default())
    }
}

/// How many are told of as unread, of a manifest that is listed with `artifact` and has one layer of a type.
fn unread(artifact: &str, layer: Option<&str>) -> usize {
    let mut memory = Memory::default();
    let layers: Vec<Descriptor> = layer.iter().map(|kind| Descriptor::of(kind, b"layer")).collect();
    memory.0.insert(Digest::of(b"layer"), b"layer".to_vec());
    let manifest = Manifest::image(Descriptor::of(media_type::EMPTY, b"{}"), layers).to_bytes();
    let bytes = if layer.is_some() { manifest } else { b"{\"schemaVersion\":1}".to_vec() };
    let mut listed = Descriptor::of(media_type::MANIFEST, &bytes);
    listed.artifact_type = Some(artifact.to_owned());
    memory.0.insert(listed.digest, bytes);
    let candidates = [Candidate::manifest(Digest::of(b"image"), listed)];
    let opened = open(&memory, &candidates, &mut Budget::start());
    opened.iter().filter(|one| one.unread.is_some()).count()
}

#[test]
fn what_announces_a_statement_and_is_not_understood_is_told_of() {
    let (v03, v04) = (media_type::SIGSTORE_BUNDLE, "application/vnd.dev.sigstore.bundle.v0.4+json");
    for (artifact, layer, count) in [
        (v03, Some(v03), 0),
        (v04, Some(v04), 1),
        (v03, Some("Application/vnd.dev.sigstore.bundle.v0.3+JSON"), 1),
        (v03, Some("application/octet-stream"), 1),
        (v03, None, 1),
        (media_type::EMPTY, Some(v04), 1),
        (media_type::EMPTY, Some("application/octet-stream"), 0),
        ("application/vnd.dev.cosign.artifact.sbom.v1+json", Some("application/spdx+json"), 0),
        ("application/spdx+json", Some("application/spdx+json"), 0),
        ("application/spdx+json", None, 0),
    ] {
        assert_eq!(unread(artifact, layer), count, "{artifact} {layer:?}");
    }
}

#[test]
fn a_layer_under_a_tag_of_older_cosign_is_a_statement_whatever_its_type() {
    let mut memory = Memory::default();
    let layers = vec![Descriptor::of("application/vnd.dsse.envelope.v2+json", b"layer")];
    let bytes = Manifest::image(Descriptor::of(media_type::EMPTY, b"{}"), layers).to_bytes();
    let manifest = Descriptor::of(media_type::MANIFEST, &bytes);
    memory.0.insert(manifest.digest, bytes);
    memory.0.insert(Digest::of(b"{}"), b"{}".to_vec());
    let mut budget = Budget::start();
    let about = Digest::of(b"image");
    let found = signatures(&memory, &about, "sha256-x.att", &manifest, &mut budget).unwrap();
    assert!(open(&memory, &found, &mut budget)[0].unread.is_some());
    let other = Descriptor::of(media_type::MANIFEST, b"{}");
    assert!(signatures(&memory, &about, "sha256-x.att", &other, &mut budget).is_err());
}
