use kiln_build::Keep;
use kiln_finding::{Class, Diagnose};
use kiln_image::{PackedLayer, Sink, pack_layer};
use kiln_oci::Digest;
use kiln_rootfs::Tree;
use kiln_store::{Layout, StepCache};

/// Layers in the store, records in the cache.
pub(crate) struct Keeper<'a> {
    pub(crate) layout: &'a Layout,
    pub(crate) steps: &'a StepCache,
    pub(crate) mtime: u64,
}

/// What either may say.
#[derive(Debug)]
pub(crate) enum KeepError {
    Store(kiln_store::Error),
    Image(kiln_image::Error),
}

impl KeepError {
    fn inner(&self) -> &dyn Diagnose {
        match self {
            Self::Store(error) => error,
            Self::Image(error) => error,
        }
    }
}

impl std::fmt::Display for KeepError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.inner())
    }
}

impl std::error::Error for KeepError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner().source()
    }
}

impl Diagnose for KeepError {
    fn code(&self) -> &'static str {
        self.inner().code()
    }

    fn class(&self) -> Class {
        self.inner().class()
    }

    fn help(&self) -> Option<String> {
        self.inner().help()
    }
}

impl From<kiln_store::Error> for KeepError {
    fn from(error: kiln_store::Error) -> Self {
        Self::Store(error)
    }
}

impl Keep for Keeper<'_> {
    type Error = KeepError;

    fn record(&self, key: &Digest) -> Result<Option<Vec<u8>>, KeepError> {
        Ok(self.steps.get(key)?)
    }

    fn remember(&self, key: &Digest, record: &[u8]) -> Result<(), KeepError> {
        Ok(self.steps.put(key, record)?)
    }

    fn has_layer(&self, layer: &PackedLayer) -> Result<bool, KeepError> {
        Ok(self.layout.has(&layer.descriptor)?)
    }

    fn pack(&self, tree: &Tree) -> Result<PackedLayer, KeepError> {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (blob, layer) =
            pack_layer(tree, self.mtime, threads, self.layout.ingest()?).map_err(KeepError::Image)?;
        blob.commit(Some((layer.descriptor.digest, layer.descriptor.size)))?;
        Ok(layer)
    }
}
