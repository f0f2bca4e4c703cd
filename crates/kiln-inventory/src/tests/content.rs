//! What is read of layers is what the manifest says, to its last byte; what the config says of them is believed for nothing.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Write};
use std::sync::Mutex;

use kiln_finding::{Class, Diagnose};
use kiln_image::{Image, Source};
use kiln_oci::{Descriptor, Digest, HashingReader, ImageConfig, Manifest, media_type};
use kiln_pkg::Ecosystem;
use kiln_rootfs::{Tree, write_tar};

use super::{files, names, stack};
use crate::{FactCache, LayerFacts, scan_image};

/// Blobs, whatever is asked for them; their digests are held to at the end.
struct Blobs(BTreeMap<Digest, Vec<u8>>);

#[derive(Debug, thiserror::Error)]
#[error("nothing")]
struct Nothing;

impl Diagnose for Nothing {
    fn code(&self) -> &'static str {
        "test.nothing"
    }

    fn class(&self) -> Class {
        Class::Content
    }
}

struct Checked(Option<HashingReader<Cursor<Vec<u8>>>>, Digest);

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(content) = &mut self.0 else { return Ok(0) };
        let count = content.read(buffer)?;
        if count == 0 && self.0.take().unwrap().finish().1 != self.1 {
            return Err(io::Error::other("another digest"));
        }
        Ok(count)
    }
}

impl Source for Blobs {
    type Error = Nothing;

    fn resolve(&self, _: &str) -> Result<Option<Descriptor>, Nothing> {
        Ok(None)
    }

    fn open(&self, content: &Descriptor) -> Result<Box<dyn Read + Send + '_>, Nothing> {
        let bytes = self.0.get(&content.digest).ok_or(Nothing)?.clone();
        Ok(Box::new(Checked(Some(HashingReader::new(Cursor::new(bytes))), content.digest)))
    }

    fn referrers(&self, _: &Digest) -> Result<kiln_image::Listed, Nothing> {
        Ok(kiln_image::Listed::default())
    }
}

#[derive(Default)]
struct Kept(Mutex<BTreeMap<Digest, LayerFacts>>);

impl FactCache for Kept {
    fn get(&self, layer: &Digest) -> Option<LayerFacts> {
        self.0.lock().unwrap().get(layer).cloned()
    }

    fn put(&self, facts: &LayerFacts) {
        self.0.lock().unwrap().insert(facts.digest, facts.clone());
    }
}

fn tar(name: &str) -> Vec<u8> {
    let mut tree = Tree::new();
    let manifest = format!("{{\"name\": \"{name}\", \"version\": \"1.0.0\"}}");
    tree.insert_file(&format!("node_modules/{name}/package.json"), 0o644, manifest.as_bytes()).unwrap();
    write_tar(&tree, Vec::new(), 0).unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An image of one layer, of which its config says `diff_id`.
fn image(layer: Digest, diff_id: Digest) -> Image {
    let config = Descriptor::new(media_type::CONFIG, Digest::of(b"config"), 6);
    let layers = vec![Descriptor::new(media_type::LAYER, layer, 1)];
    let rootfs = serde_json::json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [diff_id]}});
    let config_of: ImageConfig = serde_json::from_value(rootfs).unwrap();
    Image {
        descriptor: Descriptor::new(media_type::MANIFEST, Digest::of(b"image"), 5),
        manifest: Manifest::image(config, layers),
        config: config_of,
        config_bytes: Vec::new(),
    }
}

/// A config that gives a layer the diff id of another's changes nothing of what is found in either, whichever is read first.
#[test]
fn a_lie_about_a_diff_id_reaches_no_other_image() {
    let (good, evil) = (tar("good"), tar("evil"));
    let (good_id, blobs) = (Digest::of(&good), [gzip(&good), gzip(&evil)]);
    let digests = blobs.each_ref().map(|blob| Digest::of(blob));
    let source = Blobs(digests.into_iter().zip(blobs).collect());
    for order in [[0, 1], [1, 0]] {
        let cache = Kept::default();
        for at in order.into_iter().chain(order) {
            let found = scan_image(&image(digests[at], good_id), &source, &cache, 1).unwrap();
            assert_eq!(names(&found, Ecosystem::Npm), [["good 1.0.0"], ["evil 1.0.0"]][at]);
            assert_eq!(found.packages[0].places[0].layer, Some(good_id));
            // It is said, whether or not the layer is known already.
            let said: Vec<&str> = found.unread.iter().map(|unread| unread.path.as_str()).collect();
            assert_eq!(said, [vec![], vec![digests[1].to_string().as_str()]][at]);
        }
    }
}

/// Not a byte may differ, be missing or follow, also where the compression is at its end before the bytes are; and nothing is kept.
#[test]
fn bytes_that_the_manifest_does_not_mean_are_refused() {
    let plain = tar("good");
    for whole in [gzip(&plain), zstd::encode_all(plain.as_slice(), 1).unwrap(), plain.clone()] {
        let digest = Digest::of(&whole);
        let mut last = whole.clone();
        *last.last_mut().unwrap() ^= 1;
        // An empty frame that decompressors pass over, and blocks after the end of an archive.
        let skipped = [&whole[..], &[0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]].concat();
        let members = [&whole[..], &gzip(b"")].concat();
        let zeros = [&whole[..], &[0; 1024]].concat();
        for changed in [last, skipped, members, zeros, whole[..whole.len() - 1].to_vec()] {
            let cache = Kept::default();
            let source = Blobs([(digest, changed)].into());
            assert!(scan_image(&image(digest, Digest::of(&plain)), &source, &cache, 1).is_err());
            assert!(cache.0.lock().unwrap().is_empty());
        }
        let source = Blobs([(digest, whole)].into());
        assert!(scan_image(&image(digest, Digest::of(&plain)), &source, &Kept::default(), 1).is_ok());
    }
}

#[test]
fn what_has_no_name_or_no_version_is_said() {
    for (text, why) in [
        (r#"{"name":"a"}"#, "it has no version"),
        (r#"{"name":"a","version":""}"#, "it has no version"),
        (r#"{"version":"1.0.0"}"#, "it has no name"),
        ("{}", "it has no name"),
    ] {
        let inventory = stack(&[files(&[("app/node_modules/a/package.json", text)])]);
        assert!(inventory.unread[0].why.starts_with(why), "{text}: {:?}", inventory.unread);
    }
    let twice = r#"{"name":"a","version":"1.0.0","version":"2.0.0"}"#;
    let inventory = stack(&[files(&[("app/node_modules/a/package.json", twice)])]);
    assert_eq!(
        (names(&inventory, Ecosystem::Npm), inventory.unread),
        (vec!["a 2.0.0".to_owned()], Vec::new())
    );
}

#[test]
fn packages_of_alpine_are_of_the_release_that_they_are_taken_from() {
    let installed = ("lib/apk/db/installed", "P:busybox\nV:1.36.1-r29\no:busybox\n\n");
    let release = |version: &str, repositories: &str| {
        let os = format!("ID=alpine\nVERSION_ID={version}\n");
        let inventory =
            stack(&[files(&[("etc/os-release", &os), ("etc/apk/repositories", repositories), installed])]);
        inventory.packages[0].distro.clone().unwrap()
    };
    let of = |branch: &str| format!("https://host.invalid/alpine/{branch}/main\n");
    assert_eq!(release("3.20.3", &of("v3.20")), "alpine-3.20.3");
    assert_eq!(release("3.20.3", &of("v3.21")), "alpine-3.21");
    assert_eq!(release("3.20.3", &of("edge")), "alpine-edge");
    assert_eq!(release("3.20.3", ""), "alpine-3.20.3");
    assert_eq!(release("3.2.1", &of("v3.20")), "alpine-3.20");
    // Which of several a package is from nobody can tell.
    let both = of("v3.20") + &of("edge");
    assert_eq!(release("3.20.3", &both), "alpine-3.20.3");
    let os = ("etc/os-release", "ID=alpine\nVERSION_ID=3.20.3\n");
    let mixed = stack(&[files(&[os, ("etc/apk/repositories", &both), installed])]);
    assert!(mixed.unread[0].why.starts_with("packages are taken from 3.20 and edge"), "{:?}", mixed.unread);
}
