//! `--platform`, and indexes of every shape that others write.

use std::path::Path;

use kiln_image::{Sink, Source};
use kiln_oci::{Descriptor, Index, Platform, media_type};
use kiln_store::Layout;
use serde_json::Value;

use crate::harness::{World, needs};
use crate::images::image_in;
use crate::peers::registry;

/// An image for a platform in the layout of `folder`, with a package that tells it from others; its entry for an index.
fn image(folder: &Path, platform: &str) -> Descriptor {
    image_with(folder, platform, "")
}

/// The same with a mark that tells it from others of its platform.
pub(crate) fn image_with(folder: &Path, platform: &str, mark: &str) -> Descriptor {
    let package = format!(r#"{{"name": "moment", "version": "2.24.0", "for": "{platform} {mark}"}}"#);
    image_in(folder, &[("app/node_modules/moment/package.json", 0o644, &package)]);
    let layout = Layout::open(folder).unwrap();
    let platform: Platform = platform.parse().unwrap();
    let mut manifest = document(&layout, &layout.resolve("1").unwrap().unwrap());
    let config: Descriptor = serde_json::from_value(manifest["config"].clone()).unwrap();
    let mut config = document(&layout, &config);
    config["architecture"] = platform.architecture.clone().into();
    config["os"] = platform.os.clone().into();
    config["variant"] = platform.variant.clone().into();
    manifest["config"] = serde_json::to_value(put(&layout, media_type::CONFIG, &config)).unwrap();
    let mut entry = put(&layout, media_type::MANIFEST, &manifest);
    entry.platform = Some(platform);
    entry
}

fn document(layout: &Layout, content: &Descriptor) -> Value {
    serde_json::from_reader(layout.open(content).unwrap()).unwrap()
}

fn put(layout: &Layout, kind: &str, document: &Value) -> Descriptor {
    let bytes = document.to_string();
    let descriptor = Descriptor::of(kind, bytes.as_bytes());
    layout.put(&descriptor, &mut bytes.as_bytes()).unwrap();
    descriptor
}

/// An index of these entries in the layout, under the tag.
pub(crate) fn index(folder: &Path, tag: &str, manifests: Vec<Descriptor>) -> Descriptor {
    let layout = Layout::open(folder).unwrap();
    let index = serde_json::to_value(Index { manifests, ..Index::default() }).unwrap();
    let index = put(&layout, media_type::INDEX, &index);
    layout.publish(&index, Some(tag)).unwrap();
    index
}

fn without_platform(entry: &Descriptor) -> Descriptor {
    Descriptor { platform: None, ..entry.clone() }
}

#[test]
fn every_command_takes_the_platform_that_is_asked_for() {
    if !needs(&["registry"]) {
        return;
    }
    let world = World::new();
    let folder = world.path("many");
    let platforms = ["linux/amd64", "linux/arm64/v8", "linux/arm/v6", "linux/arm/v7"];
    let images = platforms.map(|platform| image(&folder, platform));
    index(&folder, "all", images.to_vec());
    let (_server, host) = registry(&world);
    let name = format!("{host}/team/app:1");
    world.run(["copy", "-q", "oci:many:all", &name]).exits(0);
    for (wanted, at) in
        [("linux/amd64", 0), ("arm64", 1), ("linux/arm64/v8", 1), ("linux/arm/v6", 2), ("linux/arm", 3)]
    {
        let digest = images[at].digest.to_string();
        for from in ["oci:many:all", &name] {
            let scan = world.run(["scan", from, "--platform", wanted, "--format", "json"]).exits(0).json();
            assert_eq!(scan[0]["image"]["digest"], digest.as_str(), "{wanted} of {from}");
            let sbom = world.run(["sbom", from, "--platform", wanted]).exits(0);
            assert!(sbom.stdout.contains(&digest["sha256:".len()..]), "{wanted} of {from}");
        }
        let copied = world.run(["copy", &name, "oci:one:1", "--platform", wanted, "--format", "json"]);
        assert_eq!(copied.exits(0).json()["digest"], digest.as_str());
        let pulled = world.run(["pull", &name, "--platform", wanted, "--format", "json"]).exits(0).json();
        assert_eq!(pulled["digest"], digest.as_str());
    }
    for command in ["scan", "sbom", "pull"] {
        let missing = world.run([command, &name, "--platform", "linux/s390x"]).exits(2);
        for part in ["kiln.no_platform", "linux/s390x", "it has linux/amd64, linux/arm64/v8, linux/arm/v6"] {
            assert!(missing.stderr.contains(part), "{}", missing.stderr);
        }
    }
    // An image for one platform must be for that.
    world.run(["scan", "oci:one:1", "--platform", "linux/arm/v7"]).exits(0);
    world.run(["scan", "oci:one:1", "--platform", "linux/amd64"]).exits(2);
    assert!(world.run(["scan", "dir:.", "--platform", "linux/amd64"]).exits(2).stderr.contains("no image"));
    world.run(["scan", &name, "--platform", "linux/"]).exits(2);
}

#[test]
fn the_platform_s_image_is_signed_and_judged() {
    let world = World::new();
    let folder = world.path("many");
    index(&folder, "all", ["linux/amd64", "linux/arm64"].map(|platform| image(&folder, platform)).to_vec());
    world.run(["keygen", "--output-key-prefix", "k"]).exits(0);
    let verify = |platform: &str| {
        let asked = ["--key", "k.pub", "--require", "signature", "--platform", platform];
        world.run([&["verify", "oci:many:all"], &asked[..]].concat())
    };
    world.run(["sign", "oci:many:all", "--key", "k.key", "--platform", "linux/arm64"]).exits(0);
    verify("linux/arm64").exits(0);
    verify("linux/amd64").exits(1);
    world.run(["sign", "oci:many:all", "--key", "k.key", "--platform", "linux/arm64", "-r"]).exits(2);
    // Who signs the index signs its images.
    world.run(["sign", "oci:many:all", "--key", "k.key"]).exits(0);
    let explained =
        world.run(["verify", "oci:many:all", "--key", "k.pub", "--require", "signature", "--explain"]);
    let explained = explained.exits(0).stdout;
    assert!(
        explained.contains("(bundle, beside the index)") && explained.contains("found in the index"),
        "{explained}"
    );
    verify("linux/amd64").exits(0);
}

#[test]
fn indexes_of_every_shape_are_read() {
    let world = World::new();
    let folder = world.path("many");
    let (amd64, arm64) = (image(&folder, "linux/amd64"), image(&folder, "linux/arm64"));
    let scanned = |tag: &str| {
        let image = format!("oci:many:{tag}");
        world.run(["scan", &image, "--platform", "linux/arm64", "--format", "json"])
    };
    let mut unknown = without_platform(&amd64);
    unknown.platform = Some("unknown/unknown".parse().unwrap());
    let inner = index(&folder, "inner", vec![amd64.clone(), arm64.clone()]);
    let mut deep = inner.clone();
    for level in 2..=4 {
        deep = index(&folder, &format!("deep{level}"), vec![deep]);
    }
    for (tag, entries) in [
        ("silent", vec![without_platform(&amd64), without_platform(&arm64)]),
        ("unknown-first", vec![unknown, amd64.clone(), arm64.clone()]),
        ("nested", vec![inner]),
        ("both", vec![amd64.clone(), deep.clone()]),
    ] {
        index(&folder, tag, entries);
        if tag != "both" {
            assert_eq!(scanned(tag).exits(0).json()[0]["image"]["digest"], arm64.digest.to_string(), "{tag}");
        }
    }
    scanned("deep4").exits(0);
    let refused = scanned("both").exits(3);
    assert!(refused.stdout.contains("deeper than 4 indexes"), "{}", refused.stdout);
    index(&folder, "none", Vec::new());
    let text =
        r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":null}"#;
    let layout = Layout::open(&folder).unwrap();
    let null = put(&layout, media_type::INDEX, &serde_json::from_str(text).unwrap());
    layout.publish(&null, Some("null")).unwrap();
    for empty in ["none", "null"] {
        assert!(scanned(empty).exits(2).stdout.contains("kiln.no_platform"), "{empty}");
    }
}

/// One digest must not have two contents (CVE-2021-41190).
#[test]
fn what_is_an_image_and_an_index_at_once_is_refused() {
    let world = World::new();
    let folder = world.path("both");
    let image = image(&folder, "linux/amd64");
    let layout = Layout::open(&folder).unwrap();
    let mut both = document(&layout, &image);
    both["manifests"] = serde_json::json!([image]);
    let mut other = document(&layout, &image);
    other["schemaVersion"] = 1.into();
    let mut cases = vec![("version", put(&layout, media_type::MANIFEST, &other), "schema version is 1")];
    for (tag, kind) in [("image", media_type::MANIFEST), ("index", media_type::INDEX)] {
        both["mediaType"] = kind.into();
        cases.push((tag, put(&layout, kind, &both), "an image and an index at once"));
    }
    for (tag, manifest, why) in cases {
        layout.publish(&manifest, Some(tag)).unwrap();
        let name = format!("oci:both:{tag}");
        for command in [&["scan", &name][..], &["sbom", &name], &["copy", &name, "oci:to:1"]] {
            let refused = world.run(command).exits(3);
            assert!(refused.stderr.contains(why), "{command:?}: {}", refused.stderr);
        }
    }
}
