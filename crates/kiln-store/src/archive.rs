use std::io::Write;

use kiln_image::Image;
use kiln_oci::{Descriptor, Digest, Index, Manifest};
use kiln_rootfs::{Attrs, Content, Entry, Kind, RootPath, Tree, write_tar};
use serde_json::json;

use crate::error::ErrorKind;
use crate::index::place;
use crate::{Error, Layout};

/// Writes the image `descriptor` as an archive that `docker load` takes, old or new, and that reads as an OCI
/// layout too: `manifest.json` and `index.json` point to the same blobs (the form `docker save` has had since
/// Docker 25). `name` is `repository:tag`.
pub fn write_docker_archive<W: Write>(
    layout: &Layout,
    descriptor: &Descriptor,
    name: &str,
    output: W,
) -> Result<W, Error> {
    let tree = archive_tree(layout, descriptor, name)?;
    write_tar(&tree, output, 0).map_err(|source| ErrorKind::Archive { source }.into())
}

/// What such an archive holds. Blobs are read from the layout when the tree is written.
pub fn archive_tree(layout: &Layout, descriptor: &Descriptor, name: &str) -> Result<Tree, Error> {
    let image = Image::read(layout, descriptor).map_err(|source| ErrorKind::Image { source })?;
    let mut index = Index::default();
    let tag = name.rsplit_once(':').map_or("latest", |(_, tag)| tag);
    place(&mut index, descriptor, Some(tag), Some(name));
    build(layout, &image, &index, name).map_err(|source| ErrorKind::Archive { source }.into())
}

fn build(layout: &Layout, image: &Image, index: &Index, name: &str) -> Result<Tree, kiln_rootfs::Error> {
    let mut tree = Tree::new();
    tree.insert_file("oci-layout", 0o644, *br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    tree.insert_file("index.json", 0o644, index.to_bytes())?;
    tree.insert_file("manifest.json", 0o644, docker_manifest(&image.manifest, name))?;
    let manifest = &image.manifest;
    for blob in [&image.descriptor, &manifest.config].into_iter().chain(&manifest.layers) {
        let content = Content::Disk { path: layout.blob_path(&blob.digest).into(), size: blob.size };
        let entry = Entry { attrs: Attrs::root(0o644), kind: Kind::File(content) };
        tree.insert(RootPath::new(&blob_name(&blob.digest))?, entry)?;
    }
    Ok(tree)
}

fn docker_manifest(manifest: &Manifest, name: &str) -> Vec<u8> {
    let layers: Vec<String> = manifest.layers.iter().map(|layer| blob_name(&layer.digest)).collect();
    let entry =
        json!([{ "Config": blob_name(&manifest.config.digest), "RepoTags": [name], "Layers": layers }]);
    entry.to_string().into_bytes()
}

fn blob_name(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}
