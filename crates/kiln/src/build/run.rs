//! From a project to an image in the store, without a name yet.

use std::io::Read;
use std::path::Path;

use kiln_app::App;
use kiln_build::{BaseImage, Facts, Input, assemble};
use kiln_disk::Dir;
use kiln_finding::Failure;
use kiln_oci::Arch;
use kiln_plan::Plan;
use kiln_proof::Built;
use kiln_rootfs::RootPath;
use kiln_store::{Layout, StepCache};

use super::bases::{self, Bases};
use super::keep::Keeper;
use super::runner::SandboxRunner;
use crate::base::Supply;
use crate::clock::image_times;
use crate::config::Config;
use crate::context::Context;
use crate::outside::Outside;
use crate::progress::{Stages, size};

/// The largest file that names a commit, in bytes.
const REFERENCE_MAX: u64 = 4 << 10;

/// What the user may say on the command line.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Folder of the app
    #[arg(default_value = ".")]
    pub(crate) app: std::path::PathBuf,
    /// Name and tag of the image; those of package.json by default
    #[arg(long, short, value_name = "NAME[:TAG]")]
    pub(crate) tag: Option<kiln_oci::Reference>,
    /// Platform: linux/amd64 or linux/arm64; this machine's by default
    #[arg(long)]
    pub(crate) platform: Option<Arch>,
    /// Refuse to write or change kiln.lock
    #[arg(long)]
    pub(crate) locked: bool,
}

/// Plans and builds the app.
pub(crate) fn build(
    options: &Options,
    config: &Config,
    context: &Context,
    layout: &Layout,
    stages: &Stages,
) -> Result<Built, Failure> {
    stages.start("plan", "reading the app");
    let app = App::collect(&options.app)?;
    let mut plan = kiln_plan::plan(&app.facts, &config.overrides()?)?;
    let (arch, host) = architectures(options.platform)?;
    if arch != host {
        plan.production_for(arch.npm_name()).map_err(|why| {
            Failure::usage(format!("build for {arch}: {why}"))
                .with_help("run kiln on a machine of that architecture")
        })?;
    }
    stages.done(&plan_summary(&plan));

    stages.start("base", "composing the base");
    let supply = Supply::new(context, &options.app, &config.base, stages);
    let locked = bases::lock(&options.app, &plan, config, &archs(arch, host), &supply, options.locked)?;
    let steps = StepCache::create(&context.machine.cache_dir.join("steps"))?;
    let bases = Bases::new(locked.lock, (arch, host), &supply, layout, &steps, context);
    let base = bases.runtime()?;
    stages.done(&base_summary(&bases, &base, locked.written));

    stages.start("build", "looking into the cache");
    let (mtime, created) = image_times(None)?;
    let native = !plan.natives.is_empty();
    let outside = Outside::choose(Some(supply.npm()))?;
    let mut runner = SandboxRunner::new(&bases, &plan, &supply, stages, &outside, context);
    runner.build_network = config.build.network;
    runner.timeout = config.build.timeout;
    let keeper = Keeper { layout, steps: &steps, mtime };
    let input = Input { plan: &plan, source: &app.tree, builder: bases.builder_digest(native), mtime };
    let built = kiln_build::build(&input, &runner, &keeper)?;
    let facts = Facts {
        created,
        licence: app.facts.package.license.as_ref().and_then(|licence| Some(licence.as_str()?.to_owned())),
        // The commit goes into the provenance: a label would make the digest depend on how the sources came here.
        revision: None,
    };
    let layers = [("dependencies", &built.dependencies.layer), ("app", &built.app.layer)];
    let image = assemble(&plan, &base, &layers, arch, &facts);
    layout.put_bytes(&image.config.1)?;
    layout.put_bytes(&image.manifest.1)?;
    let network = runner.network();
    stages.done(&build_summary(&built, network));
    let name = name(options, &plan);
    let lock = bases.lock;
    let revision = revision(&options.app);
    Ok(Built {
        facts: app.facts,
        tree: app.tree,
        plan,
        arch,
        lock,
        base,
        manifest: image.manifest.0,
        name,
        network,
        revision,
    })
}

/// The architecture of the image and that of this machine, on which its commands run.
fn architectures(wanted: Option<Arch>) -> Result<(Arch, Arch), Failure> {
    let host = Arch::host()
        .ok_or_else(|| Failure::usage("build here: kiln has no builder for this machine's CPU"))?;
    Ok((wanted.unwrap_or(host), host))
}

fn archs(arch: Arch, host: Arch) -> Vec<Arch> {
    if arch == host { vec![host] } else { vec![host, arch] }
}

/// The commit of the sources, where they lie in a git repository whose head can be read plainly.
fn revision(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let git = folder.ancestors().map(|above| above.join(".git")).find(|git| git.is_dir())?;
    let git = Dir::open(&git).ok()?;
    let read = |name: &str| {
        let mut text = String::new();
        let file = git.file(&RootPath::normalise(name).ok()?).ok()?;
        file.take(REFERENCE_MAX).read_to_string(&mut text).ok()?;
        Some(text)
    };
    let head = read("HEAD")?;
    let commit = match head.trim().strip_prefix("ref: ") {
        Some(reference) => read(reference)?,
        None => head,
    };
    let commit = commit.trim();
    (commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit())).then(|| commit.to_owned())
}

fn name(options: &Options, plan: &Plan) -> String {
    if let Some(tag) = &options.tag {
        return tag.name_and_tag();
    }
    let version = plan.version.as_deref().unwrap_or("latest");
    let tag: String = version
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '-' })
        .collect();
    format!("{}:{tag}", plan.name)
}

fn plan_summary(plan: &Plan) -> String {
    let steps = plan.install.first().into_iter().chain(&plan.build);
    let commands = steps.map(|step| step.argv.iter().take(3).cloned().collect::<Vec<_>>().join(" "));
    let start = format!("node {}", plan.entry.join(" "));
    commands.chain([start]).collect::<Vec<_>>().join(" → ")
}

fn base_summary(bases: &Bases<'_>, base: &BaseImage, written: bool) -> String {
    let total: u64 = base.layers.iter().map(|layer| layer.descriptor.size).sum();
    let lock = if written { ", pinned in kiln.lock" } else { "" };
    format!("Debian {}, Node {}, {}{lock}", bases.lock.distribution, bases.node_version(), size(total))
}

fn build_summary(built: &kiln_build::Built, network: &str) -> String {
    let part = |what: &str, outcome: &kiln_build::StageOutcome| {
        let cached = if outcome.cached { " (unchanged)" } else { "" };
        format!("{what} {}{cached}", size(outcome.layer.descriptor.size))
    };
    let is_cached = built.dependencies.cached && built.app.cached;
    let network = if network == "host" && !is_cached { ", network: host" } else { "" };
    format!("{}, {}{network}", part("dependencies", &built.dependencies), part("app", &built.app))
}
