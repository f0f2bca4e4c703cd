use std::io::Write;

use kiln_base::{Base, Lock};
use kiln_finding::Failure;
use kiln_image::{PackedLayer, Sink as _, pack_layer};
use kiln_oci::{Descriptor, History, ImageConfig, Manifest, Platform, RootFs, media_type};
use kiln_store::Layout;

/// Times inside of layers, so that a layer whose files stay the same stays the same blob.
const MTIME: u64 = 0;

/// A base as an image: its documents, and what is known of its layers.
pub struct Packed {
    /// Bottom first.
    pub layers: Vec<PackedLayer>,
    /// Its configuration.
    pub config: ImageConfig,
    /// Its manifest.
    pub manifest: Manifest,
}

impl Packed {
    /// Names the manifest, and says for which machines it is.
    pub fn descriptor(&self) -> Descriptor {
        let platform =
            Platform { architecture: self.config.architecture.clone(), os: "linux".into(), variant: None };
        Descriptor {
            platform: Some(platform),
            ..Descriptor::of(media_type::MANIFEST, &self.manifest.to_bytes())
        }
    }
}

/// Packs the layers into what `output` yields for each of them.
pub fn pack<W: Write + Send>(
    base: &Base,
    lock: &Lock,
    mut output: impl FnMut() -> Result<W, Failure>,
    mut done: impl FnMut(W, &PackedLayer) -> Result<(), Failure>,
) -> Result<Packed, Failure> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut layers = Vec::new();
    for layer in &base.layers {
        let (writer, packed) = pack_layer(&layer.tree, MTIME, threads, output()?)?;
        done(writer, &packed)?;
        layers.push(packed);
    }
    let history = base.layers.iter().map(|layer| History {
        created: Some(lock.date().to_owned()),
        created_by: Some("kiln base".to_owned()),
        comment: Some(layer.comment.clone()),
        ..History::default()
    });
    let config = ImageConfig {
        created: Some(lock.date().to_owned()),
        architecture: base.arch.as_str().to_owned(),
        os: "linux".to_owned(),
        config: base.config.clone(),
        rootfs: RootFs { diff_ids: layers.iter().map(|layer| layer.diff_id).collect(), ..RootFs::default() },
        history: history.collect(),
        author: None,
        other: serde_json::Map::new(),
    };
    let mut manifest = Manifest::image(
        Descriptor::of(media_type::CONFIG, &config.to_bytes()),
        layers.iter().map(|layer| layer.descriptor.clone()).collect(),
    );
    manifest.annotations = base.annotations.clone();
    Ok(Packed { layers, config, manifest })
}

/// Writes a base into a layout; it is published under `tag` where one is given.
pub fn write(base: &Base, lock: &Lock, layout: &Layout, tag: Option<&str>) -> Result<Packed, Failure> {
    let packed = pack(
        base,
        lock,
        || Ok(layout.ingest()?),
        |blob, layer| {
            blob.commit(Some((layer.descriptor.digest, layer.descriptor.size)))?;
            Ok(())
        },
    )?;
    layout.put_bytes(&packed.config.to_bytes())?;
    layout.put_bytes(&packed.manifest.to_bytes())?;
    if tag.is_some() {
        layout.publish(&packed.descriptor(), tag)?;
    }
    Ok(packed)
}
