use kiln_oci::{Descriptor, ImageConfig, Manifest};

use crate::error::ErrorKind;
use crate::port::read_small;
use crate::{Error, Source};

/// A manifest and its configuration, which fit together.
#[derive(Clone, Debug)]
pub struct Image {
    /// What names this image.
    pub descriptor: Descriptor,
    /// Config and layers.
    pub manifest: Manifest,
    /// What runs, and the digests of the uncompressed layers.
    pub config: ImageConfig,
    /// The configuration as it was read; its digest is in the manifest.
    pub config_bytes: Vec<u8>,
}

impl Image {
    /// Reads the image that `descriptor` names.
    pub fn read<S: Source + ?Sized>(source: &S, descriptor: &Descriptor) -> Result<Self, Error> {
        let digest = descriptor.digest;
        let bytes = read_small(source, "manifest", descriptor)?;
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|source| ErrorKind::Document {
            what: "manifest",
            digest,
            source,
        })?;
        let config_bytes = read_small(source, "config", &manifest.config)?;
        let config: ImageConfig = serde_json::from_slice(&config_bytes).map_err(|source| {
            ErrorKind::Document { what: "config", digest: manifest.config.digest, source }
        })?;
        let image = Self { descriptor: descriptor.clone(), manifest, config, config_bytes };
        image.check()?;
        Ok(image)
    }

    /// Whether manifest and configuration tell of the same layers.
    fn check(&self) -> Result<(), Error> {
        let (layers, diff_ids) = (self.manifest.layers.len(), self.config.rootfs.diff_ids.len());
        if layers == diff_ids {
            return Ok(());
        }
        let why = format!("has {layers} layers, but its config lists {diff_ids}");
        Err(ErrorKind::Unfit { what: "image", digest: self.descriptor.digest, why }.into())
    }

    /// The size of config and compressed layers, in bytes.
    pub fn compressed_size(&self) -> u64 {
        self.manifest.config.size + self.manifest.layers.iter().map(|layer| layer.size).sum::<u64>()
    }
}
