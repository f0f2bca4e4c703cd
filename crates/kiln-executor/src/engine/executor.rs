use std::path::Path;
use std::sync::Arc;

use kiln_build::engine::{Depth, Executor, Form, Job, Layer};
use kiln_finding::{Failure, PortError};
use kiln_image::PackedLayer;
use kiln_oci::Digest;
use kiln_rootfs::Delta;

use super::commands::Commands;
use super::layer_store::LayerStore;

/// Puts the base of build steps with this digest into a folder, which it makes.
pub(crate) type MakeBuilder<'a> = &'a (dyn Fn(&Digest, &Path) -> Result<(), Failure> + Sync);

/// Makes layers on this machine.
pub(crate) struct LocalExecutor<'a> {
    pub(super) store: LayerStore<'a>,
    pub(super) commands: Commands<'a>,
    pub(super) make_builder: MakeBuilder<'a>,
}

impl LocalExecutor<'_> {
    fn run_job(&self, key: &Digest, job: &Job<'_>) -> Result<bool, Failure> {
        let scratch = self.store.scratch()?;
        self.commands.run(&self.store, job, &scratch)?;
        self.store.keep_left(key, &scratch, &job.user)
    }

    fn keep_builder(&self, key: &Digest, digest: &Digest) -> Result<(), Failure> {
        let scratch = self.store.scratch()?;
        (self.make_builder)(digest, &scratch.path().join("fs"))?;
        self.store.keep_folder(key, &scratch)
    }
}

impl Executor for LocalExecutor<'_> {
    type Error = PortError;

    fn has(&self, key: &Digest) -> Result<bool, PortError> {
        self.store.has(key).map_err(PortError::new)
    }

    fn read(&self, layer: &Layer, depth: Depth) -> Result<Arc<Delta>, PortError> {
        self.store.read_layer(layer, depth).map(Arc::new).map_err(PortError::new)
    }

    fn keep(&self, key: &Digest, delta: &Delta, form: Form) -> Result<(), PortError> {
        self.store.keep_layer(key, delta, form).map_err(PortError::new)
    }

    fn builder(&self, key: &Digest, digest: &Digest) -> Result<(), PortError> {
        self.keep_builder(key, digest).map_err(PortError::new)
    }

    fn run(&self, key: &Digest, job: &Job<'_>) -> Result<bool, PortError> {
        self.run_job(key, job).map_err(PortError::new)
    }

    fn pack(&self, layer: &Layer) -> Result<PackedLayer, PortError> {
        self.store.pack_layer(layer).map_err(PortError::new)
    }
}
