use std::sync::LazyLock;

use kiln_lint::facts::{Base, ImageName, node_major};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    target: Vec<RewriteTarget>,
}

/// What a rewritten Dockerfile ends on.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RewriteTarget {
    /// The name by which it is chosen.
    pub name: String,
    pub(crate) build: String,
    pub(crate) native: Option<String>,
    pub(crate) compile: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) run: String,
    pub(crate) why: String,
    pub(crate) node: String,
    #[serde(default)]
    pub(crate) entry: bool,
    pub(crate) uid: u32,
    pub(crate) os: String,
    pub(crate) packages: Option<String>,
    #[serde(default)]
    pub(crate) lines: Vec<u32>,
    #[serde(default)]
    pub(crate) has: Vec<String>,
    #[serde(default)]
    pub(crate) managers: Vec<String>,
    /// Where the headers of Node are in the image that builds.
    pub(crate) headers: Option<String>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    toml::from_str(include_str!("../data/targets.toml")).expect("a test reads the embedded table")
});

impl RewriteTarget {
    /// Every target, the one for most apps first.
    pub fn all() -> &'static [Self] {
        &TABLE.target
    }

    /// The target of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        Self::all().iter().find(|target| target.name == name)
    }

    /// Whether it has a shell at run time.
    pub(crate) fn has_shell(&self) -> bool {
        self.packages.is_some()
    }

    /// Whether an image is what this target runs on.
    pub(crate) fn is_run_by(&self, image: &ImageName, base: Option<&Base>) -> bool {
        match self.name.as_str() {
            "kiln" => image.name.starts_with("kiln/node"),
            "distroless" => image.name.starts_with("gcr.io/distroless/nodejs"),
            "chainguard" => image.name.starts_with("cgr.dev/") && image.name.ends_with("/node"),
            "dhi" => image.name.starts_with("dhi.io/node"),
            name => {
                let is_node = image.name == "node" && node_major(image).is_some();
                is_node
                    && base.is_some_and(|base| !base.is_fat && (base.os == "alpine") == (name == "alpine"))
            }
        }
    }

    /// The image that installs and builds.
    pub(crate) fn builder(&self, node: &NodeTag, compiles: bool) -> String {
        let pattern = self.native.as_ref().filter(|_| compiles).unwrap_or(&self.build);
        node.fill(pattern)
    }

    /// The image that runs.
    pub(crate) fn runner(&self, node: &NodeTag) -> String {
        node.fill(&self.run)
    }
}

/// A line of Node, and how the old file wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeTag {
    pub(crate) major: u32,
    /// `22`, `22.11.0` or `${NODE_VERSION}`.
    pub(crate) version: String,
}

impl NodeTag {
    fn fill(&self, pattern: &str) -> String {
        let debian = if self.major >= 25 { "trixie" } else { "bookworm" };
        pattern
            .replace("{major}", &self.major.to_string())
            .replace("{version}", &self.version)
            .replace("{debian}", debian)
    }
}
