//! What a Dockerfile comes down to: steps over steps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kiln_dockerfile::{Chmod, Ignore, Sharing};
use kiln_image::PackedLayer;
use kiln_oci::{Digest, ImageConfig};
use kiln_rootfs::{Delta, RootPath, Tree};

use super::origin::Origin;
use super::stack::Stack;

/// A step of a [`Graph`], by its place in the list.
pub type StepId = usize;

/// All steps that the target needs, each after those it needs.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The steps.
    pub steps: Vec<Step>,
}

/// One change of one stage's file system.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it changes; `None` for a base.
    pub below: Option<StepId>,
    /// What it does.
    pub op: Op,
    /// Where it stands.
    pub origin: Origin,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Op {
    /// `FROM` an image, or from nothing.
    Base(Vec<PackedLayer>),
    /// An image that commands run in and that is never shipped, known by this digest: the executor has it or makes it.
    Builder(Digest),
    /// `WORKDIR`
    Dir(Dir),
    /// `COPY` and `ADD`
    Copy(Copy),
    /// `RUN`
    Run(Exec),
    /// Some of what other steps left.
    Part(Part),
}

/// A choice of what a stage left.
#[derive(Clone)]
pub struct Part {
    /// The last step of the stage.
    pub from: StepId,
    /// The step of the stage above which it counts what is left.
    pub above: StepId,
    /// Steps that lead to other trees, whose names the choice looks at.
    pub beside: Vec<StepId>,
    /// Names the choice, in one word.
    pub name: &'static str,
    /// The text of the code that chooses: when it changes, so may what is chosen.
    pub code: &'static [&'static str],
    /// What else decides: when it changes, so may what is chosen.
    pub rules: String,
    /// Chooses.
    pub choose: Choose,
}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { from, above, name, rules, .. } = self;
        write!(f, "Part({name}, {from:?} above {above:?}, {rules})")
    }
}

/// Chooses of what steps left.
pub type Choose = Arc<dyn Fn(&Left) -> Result<Delta, crate::Error> + Send + Sync>;

/// What the steps of a stage left.
#[derive(Debug, Default)]
pub struct Left {
    /// What they placed, and what of it is still there.
    pub tree: Tree,
    /// What they took away of what was there before them. Where a folder was made anew, what it held before counts as taken away by
    /// the folder's name.
    pub removed: BTreeSet<RootPath>,
    /// Names and attributes of the trees beside, in the order of [`Part::beside`].
    pub beside: Vec<Stack>,
}

/// A folder to be made where it is missing.
#[derive(Clone, Debug)]
pub struct Dir {
    /// Absolute.
    pub path: String,
    /// Its owner, by name or number, if it is new.
    pub user: String,
}

/// Files to be placed.
#[derive(Clone, Debug)]
pub struct Copy {
    /// What is placed, in order.
    pub sources: Vec<Source>,
    /// Absolute, as written; `/` at the end makes it a folder.
    pub dest: String,
    /// `--chown`, variables replaced.
    pub chown: Option<String>,
    /// `--chmod`
    pub chmod: Option<Chmod>,
    /// `--exclude`
    pub exclude: Vec<String>,
    /// `--parents`
    pub parents: bool,
    /// `--link`: links below are not followed.
    pub link: bool,
}

impl Copy {
    /// A copy of everything to `dest`.
    pub fn to(dest: impl Into<String>) -> Self {
        Self {
            sources: Vec::new(),
            dest: dest.into(),
            chown: None,
            chmod: None,
            exclude: Vec::new(),
            parents: false,
            link: false,
        }
    }

    /// Whether a path below a source stays behind (`--exclude`).
    pub(super) fn exclusion(&self) -> impl Fn(&str) -> bool {
        let ignore = Ignore::from_patterns(self.exclude.iter().map(String::as_str));
        let is_empty = self.exclude.is_empty();
        move |path| !is_empty && ignore.is_ignored(path)
    }
}

/// Something to be placed.
#[derive(Clone, Debug)]
pub enum Source {
    /// Paths or patterns in a tree.
    Files(Files, String),
    /// A file that is written here or was downloaded: the only one of this tree.
    File(Arc<Tree>),
    /// What an archive holds.
    Archive(Arc<Tree>),
}

/// A tree to take files from.
#[derive(Clone, Debug)]
pub enum Files {
    /// A part of a build context; it holds at least what is asked for.
    Context(Arc<Tree>),
    /// What a step leads to.
    Step(StepId),
}

/// A command to be run.
#[derive(Clone, Debug)]
pub struct Exec {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// The environment; `PATH` is in it.
    pub env: Vec<(String, String)>,
    /// More environment that must not count: proxies.
    pub silent_env: Vec<(String, String)>,
    /// Absolute.
    pub cwd: String,
    /// `USER`, by name or number.
    pub user: String,
    /// Whether it may reach anything but itself.
    pub network: bool,
    /// Name of the host it sees.
    pub hostname: String,
    /// What is mounted, in order.
    pub mounts: Vec<ExecMount>,
}

/// Something mounted for one command.
#[derive(Clone, Debug)]
pub struct ExecMount {
    /// Absolute path.
    pub target: String,
    /// The command cannot write to it.
    pub read_only: bool,
    /// What it is.
    pub kind: ExecMountKind,
}

/// What is mounted.
#[derive(Clone, Debug)]
pub enum ExecMountKind {
    /// A file or folder of a tree; what is written to it is lost.
    Bind(Files, String),
    /// A folder that is kept from build to build.
    Cache {
        /// Its name.
        id: String,
        /// What it holds at first.
        from: Option<(Files, String)>,
        /// Who may use it at the same time.
        sharing: Sharing,
        /// Its permissions where it is new.
        mode: u32,
        /// Its owner where it is new.
        owner: (u32, u32),
        /// What becomes of what the command writes to it.
        writes: Writes,
    },
    /// A folder in memory, of at most so many bytes.
    Tmpfs(Option<u64>),
    /// A secret, as a file with these permissions and this owner, or (with a name) in the environment.
    Secret {
        /// Which.
        id: String,
        /// As a variable.
        env: Option<String>,
        /// As a file; not where only the variable is asked for.
        file: Option<(u32, (u32, u32))>,
        /// The build fails where it is not given.
        required: bool,
    },
    /// The agent that signs for `ssh`.
    Ssh {
        /// Which.
        id: String,
        /// The build fails where it is not given.
        required: bool,
    },
    /// A script of the Dockerfile's.
    Script(Arc<[u8]>),
}

/// What becomes of what a command writes to a folder that outlives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    /// It stays there for others.
    Kept,
    /// Only the command itself sees it.
    Lost,
}

/// An image to build on.
#[derive(Clone, Debug)]
pub struct Base {
    /// Digest of its manifest.
    pub digest: Digest,
    /// Its layers, lowest first.
    pub layers: Vec<PackedLayer>,
    /// Its configuration.
    pub config: ImageConfig,
}

/// What the target of a build comes down to.
#[derive(Clone, Debug)]
pub struct BuildTarget {
    /// Its last step.
    pub top: StepId,
    /// Its configuration; layers and history are still to come.
    pub config: ImageConfig,
    /// What the instructions of this build are shown as, and the step that each made, if it made one.
    pub history: Vec<(String, Option<StepId>)>,
    /// Who wrote the history, where that is said.
    pub comment: Option<&'static str>,
    /// Annotations of its manifest.
    pub annotations: BTreeMap<String, String>,
}
