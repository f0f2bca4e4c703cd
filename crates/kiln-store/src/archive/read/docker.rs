//! What `docker save` writes: `manifest.json` names a configuration and the layers, and there is no manifest. One is
//! made here, so that such an image is like any other. Source: moby, `image/tarexport`, `docker save` from 1.10 to 24.

use std::io::{self, Read};

use kiln_oci::{Descriptor, Digest, HashingWriter, ImageConfig, Manifest, media_type};
use serde::Deserialize;

use super::{Images, Member, Tar};
use crate::Error;

/// How many images one archive may hold, and how many layers an image.
const IMAGES_MAX: usize = 1000;
const LAYERS_MAX: usize = 1000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// The images that `manifest.json` lists.
pub(super) fn images(tar: &Tar, list: &[u8]) -> Result<Images, Error> {
    let saved: Vec<Saved> = serde_json::from_slice(list).map_err(|source| tar.malformed(source))?;
    if saved.len() > IMAGES_MAX {
        return Err(tar.unfit(format!("lists more than {IMAGES_MAX} images")));
    }
    let mut images = Images::default();
    for image in saved {
        let descriptor = add(tar, &image, &mut images)?;
        images.named.push((image.repo_tags.unwrap_or_default(), descriptor));
    }
    Ok(images)
}

/// Adds one image: its blobs by digest, and the manifest that it lacks.
fn add(tar: &Tar, image: &Saved, images: &mut Images) -> Result<Descriptor, Error> {
    let (member, bytes) = (tar.member(&image.config)?, tar.document(&image.config)?);
    let config: ImageConfig = serde_json::from_slice(&bytes).map_err(|source| tar.malformed(source))?;
    let diff_ids = &config.rootfs.diff_ids;
    if image.layers.len() != diff_ids.len() || diff_ids.len() > LAYERS_MAX {
        let (layers, listed) = (image.layers.len(), diff_ids.len());
        return Err(
            tar.unfit(format!("holds an image of {layers} layers whose configuration lists {listed}"))
        );
    }
    let config = Descriptor::of(media_type::CONFIG, &bytes);
    images.blobs.insert(config.digest, member);
    let mut layers = Vec::new();
    for (name, diff_id) in image.layers.iter().zip(diff_ids) {
        let member = tar.member(name)?;
        let layer = layer(tar, member, diff_id)?;
        images.blobs.insert(layer.digest, member);
        layers.push(layer);
    }
    let bytes = Manifest::image(config, layers).to_bytes();
    let descriptor = Descriptor::of(media_type::MANIFEST, &bytes);
    images.documents.insert(descriptor.digest, bytes);
    Ok(descriptor)
}

/// A layer is stored plain, and then its digest is known; or packed, as other tools do it.
fn layer(tar: &Tar, member: Member, diff_id: &Digest) -> Result<Descriptor, Error> {
    let failed = |source| tar.failed(source);
    let mut start = [0; 4];
    let count = tar.open(member).take(4).read(&mut start).map_err(failed)?;
    let kind = match start.get(..count).unwrap_or_default() {
        [0x1f, 0x8b, ..] => media_type::LAYER_GZIP,
        [0x28, 0xb5, 0x2f, 0xfd] => media_type::LAYER_ZSTD,
        _ => return Ok(Descriptor::new(media_type::LAYER, *diff_id, member.size)),
    };
    let mut hasher = HashingWriter::new(io::sink());
    io::copy(&mut tar.open(member), &mut hasher).map_err(failed)?;
    let (_, digest, size) = hasher.finish();
    Ok(Descriptor::new(kind, digest, size))
}
