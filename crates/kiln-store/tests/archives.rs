//! Images in one tar file: written and read back, and what others write.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::Read;
use std::path::{Path, PathBuf};

use kiln_image::{CopyOptions, Image, Source, copy_with};
use kiln_oci::{Descriptor, Digest, ImageConfig, Manifest, media_type};
use kiln_rootfs::{RootPath, TarWriter};
use kiln_store::{Archive, ArchiveForm, ArchiveSink, Layout};
use tempfile::TempDir;

/// Nothing real, but told apart.
const LAYERS: [&[u8]; 2] = [b"the first layer", b"the second layer"];

fn config() -> Vec<u8> {
    let diff_ids: Vec<Digest> = LAYERS.iter().map(|layer| Digest::of(layer)).collect();
    let json = serde_json::json!({ "architecture": "amd64", "os": "linux", "rootfs": { "type": "layers", "diff_ids": diff_ids } });
    json.to_string().into_bytes()
}

/// A layout with an image of plain layers.
fn image(folder: &Path) -> (Layout, Descriptor) {
    let layout = Layout::create(folder).unwrap();
    let layers = LAYERS.map(|layer| {
        layout.put_bytes(layer).unwrap();
        Descriptor::of(media_type::LAYER, layer)
    });
    let config = config();
    layout.put_bytes(&config).unwrap();
    let manifest = Manifest::image(Descriptor::of(media_type::CONFIG, &config), layers.to_vec()).to_bytes();
    layout.put_bytes(&manifest).unwrap();
    (layout, Descriptor::of(media_type::MANIFEST, &manifest))
}

fn written(form: ArchiveForm, tag: &str) -> (Vec<u8>, Descriptor) {
    let folder = tempfile::tempdir().unwrap();
    let (layout, descriptor) = image(&folder.path().join("layout"));
    let sink = ArchiveSink::new(Vec::new(), form).unwrap();
    copy_with(&layout, &sink, &descriptor, Some(tag), &CopyOptions { threads: 1, ..CopyOptions::default() })
        .unwrap();
    (sink.finish().unwrap(), descriptor)
}

/// A tar of these files.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = TarWriter::new(Vec::new(), 0);
    for (name, bytes) in files {
        let path = RootPath::new(name).unwrap();
        writer.stream(&path, 0o644, bytes.len() as u64, &mut &bytes[..]).unwrap();
    }
    writer.finish().unwrap()
}

struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join("image.tar");
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn open(&self, bytes: &[u8]) -> Result<Archive, kiln_store::Error> {
        Archive::open(&self.file(bytes), &self.0.path().join("spool"))
    }
}

/// Everything that an image is made of, as text.
fn content(source: &impl Source, descriptor: &Descriptor) -> Vec<String> {
    let image = Image::read(source, descriptor).unwrap_or_else(|error| panic!("{error}"));
    let layers = image.manifest.layers.iter().map(|layer| {
        let mut text = String::new();
        let mut bytes = source.open(layer).unwrap_or_else(|error| panic!("{error}"));
        bytes.read_to_string(&mut text).unwrap();
        text
    });
    layers.collect()
}

#[test]
fn what_is_written_is_read_back() {
    let desk = Desk::new();
    let docker = ArchiveForm::Docker("example.invalid/app:1".to_owned());
    for (form, tag, names) in [
        (ArchiveForm::Oci, "1", vec!["1"]),
        (docker, "example.invalid/app:1", vec!["1", "example.invalid/app:1"]),
    ] {
        let (bytes, descriptor) = written(form.clone(), tag);
        assert_eq!(written(form, tag).0, bytes, "the same image, other bytes");
        let archive = desk.open(&bytes).unwrap();
        let images: Vec<_> = archive.images().collect();
        assert_eq!(
            images.iter().map(|(names, _)| names.to_vec()).collect::<Vec<_>>(),
            std::slice::from_ref(&names)
        );
        assert_eq!(archive.resolve(names[names.len() - 1]).unwrap(), Some(descriptor.clone()));
        assert_eq!(content(&archive, &descriptor), ["the first layer", "the second layer"]);
    }
}

#[test]
fn compressed_archives_are_read_too() {
    let (bytes, descriptor) = written(ArchiveForm::Oci, "1");
    let packed = zstd::encode_all(&bytes[..], 1).unwrap();
    let archive = Desk::new().open(&packed).unwrap();
    assert_eq!(content(&archive, &descriptor).len(), 2);
}

/// What Docker wrote before version 25: folders by id, and links to layers that are there already.
fn old_docker(config: &[u8], layers: &[&[u8]]) -> Vec<u8> {
    let name = format!("{}.json", Digest::of(config).hex());
    let paths: Vec<String> = (0..layers.len()).map(|number| format!("{number}{number}/layer.tar")).collect();
    let list = serde_json::json!([{ "Config": name, "RepoTags": ["app:1", "app:latest"], "Layers": paths }])
        .to_string();
    let mut files: Vec<(&str, &[u8])> = vec![(&name, config)];
    files.extend(paths.iter().map(String::as_str).zip(layers.iter().copied()));
    files.push(("manifest.json", list.as_bytes()));
    tar(&files)
}

#[test]
fn an_image_without_a_manifest_gets_one() {
    let archive = Desk::new().open(&old_docker(&config(), &LAYERS)).unwrap();
    let descriptor = archive.resolve("app:latest").unwrap().unwrap();
    assert_eq!(archive.resolve("app:1").unwrap(), Some(descriptor.clone()));
    assert_eq!(content(&archive, &descriptor), ["the first layer", "the second layer"]);
    let image = Image::read(&archive, &descriptor).unwrap();
    let config: ImageConfig = serde_json::from_slice(&config()).unwrap();
    assert_eq!(image.config.rootfs.diff_ids, config.rootfs.diff_ids);
    assert_eq!(archive.referrers(&descriptor.digest).unwrap().found, []);
}

#[test]
fn layers_may_be_packed() {
    let packed: Vec<Vec<u8>> = LAYERS.iter().map(|layer| zstd::encode_all(*layer, 1).unwrap()).collect();
    let packed: Vec<&[u8]> = packed.iter().map(Vec::as_slice).collect();
    let archive = Desk::new().open(&old_docker(&config(), &packed)).unwrap();
    let descriptor = archive.resolve("app:1").unwrap().unwrap();
    let image = Image::read(&archive, &descriptor).unwrap();
    assert_eq!(image.manifest.layers[0].media_type, media_type::LAYER_ZSTD);
    let mut bytes = Vec::new();
    archive.open(&image.manifest.layers[0]).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, packed[0]);
}

#[test]
fn lies_are_found_out() {
    let desk = Desk::new();
    // A layer that is not what the configuration says.
    let archive = desk.open(&old_docker(&config(), &[LAYERS[0], b"something else!!"])).unwrap();
    let descriptor = archive.resolve("app:1").unwrap().unwrap();
    let image = Image::read(&archive, &descriptor).unwrap();
    let mut bytes = Vec::new();
    let error = archive.open(&image.manifest.layers[1]).unwrap().read_to_end(&mut bytes).unwrap_err();
    assert!(error.to_string().contains("stand in the place of"), "{error}");
    let says = |bytes: &[u8], expected: &str| {
        let error = desk.open(bytes).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    says(&old_docker(&config(), &LAYERS[..1]), "an image of 1 layers whose configuration lists 2");
    says(&tar(&[("hello", b"")]), "neither oci-layout nor manifest.json");
    says(
        &tar(&[("manifest.json", br#"[{"Config": "../../etc/passwd", "Layers": []}]"#)]),
        "which it does not hold",
    );
    says(&tar(&[("manifest.json", b"{")]), "is malformed");
    let (bytes, _) = written(ArchiveForm::Oci, "1");
    says(&bytes[..bytes.len() / 2], "read the archive");
    let many = format!("[{}]", vec![r#"{"Config": "c", "Layers": []}"#; 1001].join(","));
    says(&tar(&[("manifest.json", many.as_bytes())]), "more than 1000 images");
}

#[test]
fn what_is_missing_is_named() {
    let (_, descriptor) = written(ArchiveForm::Oci, "1");
    let index = serde_json::json!({ "schemaVersion": 2, "manifests": [descriptor] }).to_string();
    let archive = Desk::new().open(&tar(&[("oci-layout", b"{}"), ("index.json", index.as_bytes())])).unwrap();
    let (names, found) = archive.images().next().unwrap();
    assert_eq!((names.len(), found), (0, &descriptor));
    assert!(
        Source::open(&archive, &descriptor)
            .is_err_and(|error| error.to_string().contains("is not in the store"))
    );
}

#[test]
fn an_archive_with_wrong_content_is_never_finished() {
    use kiln_image::Sink;
    let sink = ArchiveSink::new(Vec::new(), ArchiveForm::Oci).unwrap();
    let promised = Descriptor::of(media_type::LAYER, b"promised");
    sink.put(&promised, &mut &b"prOmised"[..]).unwrap_err();
    sink.put(&promised, &mut &b"promised"[..]).unwrap_err();
    assert!(sink.finish().unwrap_err().to_string().contains("went wrong before"));
    for wrong in [&b"promise"[..], b"promised and more"] {
        let sink = ArchiveSink::new(Vec::new(), ArchiveForm::Oci).unwrap();
        sink.put(&promised, &mut &*wrong).unwrap_err();
        sink.finish().unwrap_err();
    }
}
