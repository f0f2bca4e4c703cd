use std::path::{Path, PathBuf};
use std::process::Command;

use kiln_image::{Sink, pack_layer};
use kiln_oci::{Descriptor, ImageConfig, Manifest, media_type};
use kiln_rootfs::Tree;
use kiln_store::Layout;

use crate::harness::{Run, World, needs, project};

const OS_RELEASE: &str = "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n";
const OPENSSL: &str = "Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.1-1\n\
                       Maintainer: A <a@example.invalid>\nDescription: tls\n\n";
const MOMENT: &str = r#"{"name": "moment", "version": "2.24.0", "license": "MIT"}"#;

/// A layout with one image of these files, tagged `1`; found by `oci:DIR:1`.
fn image(world: &World, files: &[(&str, u32, &str)]) -> PathBuf {
    image_in(&world.path("layout"), files)
}

/// The same in this folder.
pub(crate) fn image_in(folder: &Path, files: &[(&str, u32, &str)]) -> PathBuf {
    let folder = folder.to_owned();
    let layout = Layout::create(&folder).unwrap();
    let mut tree = Tree::new();
    for (path, mode, text) in files {
        tree.insert_file(path, *mode, text.as_bytes()).unwrap();
    }
    let (bytes, layer) = pack_layer(&tree, 0, 1, Vec::new()).unwrap();
    layout.put(&layer.descriptor, &mut &bytes[..]).unwrap();
    let mut config = ImageConfig {
        architecture: "amd64".into(),
        os: "linux".into(),
        created: Some("2026-11-20T00:00:00Z".into()),
        ..ImageConfig::default()
    };
    config.rootfs.kind = "layers".into();
    config.rootfs.diff_ids.push(layer.diff_id);
    let config = put(&layout, media_type::CONFIG, &config.to_bytes());
    let manifest = Manifest::image(config, vec![layer.descriptor]);
    let manifest = put(&layout, media_type::MANIFEST, &manifest.to_bytes());
    layout.publish(&manifest, Some("1")).unwrap();
    folder
}

fn put(layout: &Layout, media_type: &str, bytes: &[u8]) -> Descriptor {
    let descriptor = Descriptor::of(media_type, bytes);
    layout.put(&descriptor, &mut &bytes[..]).unwrap();
    descriptor
}

fn name(folder: &Path) -> String {
    format!("oci:{}:1", folder.display())
}

pub(crate) fn vulnerable(world: &World) -> String {
    name(&image(
        world,
        &[
            ("etc/os-release", 0o644, OS_RELEASE),
            ("var/lib/dpkg/status", 0o644, OPENSSL),
            ("app/node_modules/moment/package.json", 0o644, MOMENT),
            ("usr/bin/sh", 0o755, "a shell"),
        ],
    ))
}

#[test]
fn scan_finds_what_is_known_and_gates() {
    let world = World::new();
    let image = vulnerable(&world);
    let run = world.run(["scan", &image]).exits(0);
    for word in ["debian-12", "GHSA-wc69-rhjr-hc9g", "2.29.4", "advisories as of", "usr/bin/sh"] {
        assert!(run.stdout.contains(word), "{word} in:\n{}", run.stdout);
    }
    world.run(["scan", &image, "--fail-on", "high", "--allow-unknown"]).exits(1);
    let value = world.run(["scan", &image, "--format", "json"]).exits(0).json();
    assert_eq!(value[0]["packages"].as_array().unwrap().len(), 2);
}

#[test]
fn what_is_not_known_does_not_pass_a_gate() {
    let world = World::new();
    let image = name(&image(
        &world,
        &[
            ("etc/os-release", 0o644, "ID=unheard-of\nVERSION_ID=1\n"),
            ("var/lib/dpkg/status", 0o644, OPENSSL),
        ],
    ));
    let run = world.run(["scan", &image, "--fail-on", "critical"]).exits(3);
    assert!(run.stdout.contains("not known"), "{}", run.stdout);
    for format in ["json", "sarif", "cyclonedx", "openvex", "gitlab"] {
        let run = world.run(["scan", &image, "--fail-on", "critical", "--format", format]).exits(3);
        // One document, and nothing after it.
        serde_json::from_str::<serde_json::Value>(&run.stdout).unwrap();
        assert!(run.stderr.contains("kiln.unknown"), "{}", run.stderr);
    }
    for format in ["human", "github", "junit", "markdown"] {
        let run = world.run(["scan", &image, "--fail-on", "critical", "--format", format]).exits(3);
        assert!(run.stdout.contains("not known") && !run.stdout.contains("kiln.unknown"), "{}", run.stdout);
        assert!(run.stderr.contains("error[kiln.unknown]: cannot judge "), "{}", run.stderr);
    }
    world.run(["scan", &image, "--fail-on", "critical", "--allow-unknown"]).exits(0);
}

#[test]
fn bills_of_material_are_valid_and_the_same_every_time() {
    let world = World::new();
    let image = vulnerable(&world);
    let mut paths = Vec::new();
    for kind in crate::inventory::FORMATS {
        let path = world.path(kind);
        let write = || {
            let args = ["sbom", &image, "--type", kind, "--output", path.to_str().unwrap()];
            world.run(args).exits(0);
            std::fs::read_to_string(&path).unwrap()
        };
        let text = write();
        assert!(text.contains("pkg:npm/moment@2.24.0"), "{text}");
        assert_eq!(write(), text, "{kind}");
        paths.push(path);
    }
    if needs(&["documents"]) {
        let python = project().join("target/peers/bin/python");
        let check = project().join("ci/validate_documents.py");
        Run::of(Command::new(python).arg(check).args(paths)).exits(0);
    }
}

#[test]
fn other_tools_read_the_layout() {
    let world = World::new();
    let image = vulnerable(&world);
    if needs(&["skopeo"]) {
        let run = Run::of(Command::new("skopeo").args(["inspect", &image])).exits(0);
        assert_eq!(run.json()["Architecture"], "amd64");
    }
    if needs(&["umoci"]) {
        let unpacked = world.path("unpacked");
        let image = image.trim_start_matches("oci:");
        let args = ["unpack", "--rootless", "--image", image, unpacked.to_str().unwrap()];
        Run::of(Command::new("umoci").args(args)).exits(0);
        let file = unpacked.join("rootfs/app/node_modules/moment/package.json");
        assert_eq!(std::fs::read_to_string(file).unwrap(), MOMENT);
    }
}

#[test]
fn a_damaged_layer_is_never_clean() {
    let world = World::new();
    let folder = image(&world, &[("etc/os-release", 0o644, OS_RELEASE)]);
    let layout = Layout::open(&folder).unwrap();
    let value = world.run(["scan", &name(&folder), "--format", "json"]).exits(0).json();
    let manifest: kiln_oci::Digest = value[0]["image"]["digest"].as_str().unwrap().parse().unwrap();
    let manifest = std::fs::read(layout.blob_path(&manifest)).unwrap();
    let manifest: Manifest = serde_json::from_slice(&manifest).unwrap();
    let blob = layout.blob_path(&manifest.layers[0].digest);
    let mut bytes = std::fs::read(&blob).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&blob, bytes).unwrap();
    // What is known of a layer is kept by its digest; a machine that never saw it must read it.
    let cache = world.path("empty-cache");
    let run = world.run(["scan", &name(&folder), "--cache-dir", cache.to_str().unwrap()]);
    run.exits(3);
}
