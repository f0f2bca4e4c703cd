use std::collections::BTreeSet;
use std::sync::Arc;

use kiln_attest::SourceCommit;
use kiln_base::Lock;
use kiln_build::app::BaseImage;
use kiln_finding::Fact;
use kiln_node::AppFacts;
use kiln_oci::{Arch, Descriptor};
use kiln_plan::Plan;
use kiln_rootfs::Tree;

/// An image that was built, and all that is known of how.
pub struct Built {
    /// The app, as it was read.
    pub facts: AppFacts,
    /// Its files.
    pub tree: Arc<Tree>,
    /// What was done with it, and why.
    pub plan: Plan,
    /// Which machines it runs on.
    pub arch: Arch,
    /// What the base was made from.
    pub lock: Lock,
    /// The base.
    pub base: BaseImage,
    /// The image's manifest.
    pub manifest: Descriptor,
    /// `orders-api:1.4.0`
    pub name: String,
    /// The network of commands that fetched packages: `pasta`, `host` or `none`.
    pub network: &'static str,
    /// Where results of steps were taken from that another machine may have made.
    pub cache_from: Vec<String>,
    /// Ids of the secrets that the build script was given.
    pub secrets: Vec<String>,
    /// What a bundler may have put into the result, as [`kiln_plan::bundled`] has it; `None` where there is none.
    pub bundled: Option<Vec<usize>>,
    /// Packages that were installed to build with, by name and version as their own manifests say, where a bundler may have taken code of them.
    pub built_with: BTreeSet<(String, String)>,
    /// Commit of the sources, where they are of one.
    pub sources: Fact<Option<SourceCommit>>,
}
