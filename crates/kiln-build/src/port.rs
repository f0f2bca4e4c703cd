use kiln_finding::Diagnose;
use kiln_image::PackedLayer;
use kiln_oci::Digest;
use kiln_plan::Step;
use kiln_rootfs::Tree;

/// Commands to run in `/app` of a builder.
pub struct Run<'a> {
    /// What is being done, in one word, for progress and messages.
    pub stage: &'static str,
    /// Names the result. A result with this name may be used again in place of running anything.
    pub key: Digest,
    /// The result of an earlier run that lies below `/app` and must not be changed.
    pub over: Option<Digest>,
    /// What `/app` holds at first.
    pub files: &'a Tree,
    /// The commands, in order.
    pub steps: &'a [Step],
}

/// Runs commands.
pub trait Runner {
    /// What can go wrong.
    type Error: Diagnose + Send + Sync + 'static;

    /// Runs the commands and keeps `/app` under the key, to be run over later.
    fn prepare(&self, run: &Run<'_>) -> Result<(), Self::Error>;

    /// Runs the commands and yields `/app` without what lay below it.
    fn yields(&self, run: &Run<'_>) -> Result<Tree, Self::Error>;

    /// Forgets what [`Runner::yields`] yielded, whose content may lie on disk until then.
    fn release(&self, run: &Run<'_>);
}

/// Keeps layers, and records by key.
pub trait Keep {
    /// What can go wrong.
    type Error: Diagnose + Send + Sync + 'static;

    /// The record of this key.
    fn record(&self, key: &Digest) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Remembers a record.
    fn remember(&self, key: &Digest, record: &[u8]) -> Result<(), Self::Error>;

    /// Whether the layer is still there.
    fn has_layer(&self, layer: &PackedLayer) -> Result<bool, Self::Error>;

    /// Packs and keeps a layer.
    fn pack(&self, tree: &Tree) -> Result<PackedLayer, Self::Error>;
}
