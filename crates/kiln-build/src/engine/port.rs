use std::sync::Arc;

use kiln_finding::Diagnose;
use kiln_image::PackedLayer;
use kiln_oci::Digest;
use kiln_rootfs::{Delta, RootPath, Tree};

use super::graph::{Exec, ExecMountKind};
use super::origin::Origin;

/// A layer, by what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layer {
    /// A layer of a base, in the store.
    Base(BaseLayer),
    /// What the step with this key made.
    Made(Digest),
}

/// One of the layers of a base. What it holds may depend on those below it: the file of a hard link may be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseLayer {
    /// All layers of the base, lowest first.
    layers: Arc<[PackedLayer]>,
    at: usize,
}

impl BaseLayer {
    /// The layers of a base, lowest first.
    pub fn all(layers: &[PackedLayer]) -> impl DoubleEndedIterator<Item = Self> + use<> {
        let layers: Arc<[PackedLayer]> = layers.into();
        (0..layers.len()).map(move |at| Self { layers: layers.clone(), at })
    }

    /// This layer in the store.
    pub fn packed(&self) -> &PackedLayer {
        &self.layers[self.at]
    }

    /// The layers below, topmost first.
    pub fn below(&self) -> impl Iterator<Item = Self> + '_ {
        (0..self.at).rev().map(|at| Self { layers: self.layers.clone(), at })
    }
}

/// How the result of a step is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As a folder: commands run over it, or files are taken from it.
    Folder,
    /// As a blob of the image.
    Blob,
}

/// How much of a layer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Names and attributes, and the content of `/etc/passwd` and `/etc/group`.
    Names,
    /// The content of every file, too.
    Content,
}

/// Makes layers and keeps them.
pub trait Executor: Sync {
    /// What can go wrong.
    type Error: Diagnose + Send + Sync + 'static;

    /// Whether the result of the step with this key is kept, in any form.
    fn has(&self, key: &Digest) -> Result<bool, Self::Error>;

    /// What a layer changes. Content can be read for as long as the build goes on.
    fn read(&self, layer: &Layer, depth: Depth) -> Result<Arc<Delta>, Self::Error>;

    /// Keeps the result of a step.
    fn keep(&self, key: &Digest, delta: &Delta, form: Form) -> Result<(), Self::Error>;

    /// Makes the builder with this digest, as the result of the step with this key.
    fn builder(&self, key: &Digest, digest: &Digest) -> Result<(), Self::Error>;

    /// Runs a command and keeps what it changed as the result of the step with this key; says whether it changed
    /// anything. A command that fails is an error that has its last words.
    fn run(&self, key: &Digest, job: &Job<'_>) -> Result<bool, Self::Error>;

    /// The layer as a blob of the image.
    fn pack(&self, layer: &Layer) -> Result<PackedLayer, Self::Error>;
}

/// Remembers small facts by key, from build to build. Losing one costs time only.
pub trait Cache: Sync {
    /// What can go wrong.
    type Error: Diagnose + Send + Sync + 'static;

    /// What was noted under this key.
    fn recall(&self, key: &Digest) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Cache something.
    fn note(&self, key: &Digest, fact: &[u8]) -> Result<(), Self::Error>;
}

/// Is told what happens.
pub trait Watch: Sync {
    /// A step starts, or was there already.
    fn step(&self, origin: &Origin, is_cached: bool);

    /// A cached result could not be used because something changed: what it was.
    fn missed(&self, _origin: &Origin, _why: &[String]) {}
}

/// A command with everything that it needs from other steps.
pub struct Job<'a> {
    /// The command.
    pub exec: &'a Exec,
    /// Where it stands.
    pub origin: &'a Origin,
    /// Its root, lowest first.
    pub below: Vec<Layer>,
    /// Who it runs as.
    pub user: UserIds,
    /// What is mounted, in order: where (links followed), and what.
    pub mounts: Vec<JobMount<'a>>,
    /// Whether the root holds this path without what is mounted for the job.
    pub exists: &'a (dyn Fn(&RootPath) -> bool + Sync),
    /// Where a path leads in the root; `None` where links lead in a circle.
    pub follow: &'a (dyn Fn(&RootPath) -> Option<RootPath> + Sync),
}

/// A mount of a job.
#[derive(Debug)]
pub struct JobMount<'a> {
    /// Where, links followed.
    pub target: RootPath,
    /// The command cannot write to it.
    pub read_only: bool,
    /// What it is.
    pub kind: &'a ExecMountKind,
    /// What a bind shows, or a cache starts with.
    pub content: Option<MountContent>,
}

/// The files of a mount.
#[derive(Clone, Debug)]
pub enum MountContent {
    /// The file or folder at this path of a tree.
    Tree(Arc<Tree>, RootPath),
    /// The file or folder at this path of layers, lowest first.
    Layers(Vec<Layer>, RootPath),
}

/// Who a command runs as.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserIds {
    /// Numeric user.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Further groups.
    pub groups: Vec<u32>,
    /// Home folder, as `/etc/passwd` names it.
    pub home: String,
}
