//! From a project to an image in the store, without a name yet.

use std::io::Read;
use std::path::Path;

use kiln_app::App;
use kiln_build::{BaseImage, Facts, Input, assemble};
use kiln_disk::Dir;
use kiln_finding::{Failure, size};
use kiln_images::Machine;
use kiln_oci::Arch;
use kiln_plan::{Overrides, Plan};
use kiln_proof::Built;
use kiln_rootfs::RootPath;
use kiln_store::{Layout, StepCache};

use super::bases::{self, Bases};
use super::keep::Keeper;
use super::runner::SandboxRunner;
use crate::base::{Settings, Supply};
use crate::outside::Outside;
use crate::progress::Progress;
use crate::times::image_times;

/// The largest file that names a commit, in bytes.
const REFERENCE_MAX: u64 = 4 << 10;

/// What image is wanted.
pub struct Wanted<'a> {
    /// Folder of the app.
    pub folder: &'a Path,
    /// Name and tag; those of package.json by default.
    pub name: Option<String>,
    /// Which machines it is for; this one's by default.
    pub arch: Option<Arch>,
    /// kiln.lock must be there and fit.
    pub is_locked: bool,
    /// What somebody decided in place of the planner.
    pub overrides: Overrides,
    /// Where the base comes from.
    pub base: &'a Settings,
    /// The build script may reach the network.
    pub network: bool,
    /// Seconds that one command may take.
    pub timeout: Option<u64>,
}

/// Plans and builds the app, into `layout`.
pub fn build(
    wanted: &Wanted<'_>,
    machine: &Machine,
    layout: &Layout,
    progress: &dyn Progress,
) -> Result<Built, Failure> {
    progress.start("plan", "reading the app");
    let app = App::collect(wanted.folder)?;
    let mut plan = kiln_plan::plan(&app.facts, &wanted.overrides)?;
    let (arch, host) = architectures(wanted.arch)?;
    if arch != host {
        plan.production_for(arch.npm_name()).map_err(|why| {
            Failure::usage(format!("build for {arch}: {why}"))
                .with_help("run kiln on a machine of that architecture")
        })?;
    }
    progress.done(&plan_summary(&plan));

    progress.start("base", "composing the base");
    let supply = Supply::new(machine, wanted.folder, wanted.base, progress);
    let locked =
        bases::lock(wanted.folder, &plan, wanted.base, &archs(arch, host), &supply, wanted.is_locked)?;
    let steps = StepCache::create(&machine.cache_dir.join("steps"))?;
    let bases = Bases::new(locked.lock, (arch, host), &supply, layout, &steps, machine);
    let base = bases.runtime()?;
    progress.done(&base_summary(&bases, &base, locked.written));

    progress.start("build", "looking into the cache");
    let (mtime, created) = image_times(None)?;
    let native = !plan.natives.is_empty();
    let outside = Outside::choose(Some(supply.npm()))?;
    let mut runner = SandboxRunner::new(&bases, &plan, &supply, progress, &outside, machine);
    runner.build_network = wanted.network;
    runner.timeout = wanted.timeout;
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
    progress.done(&build_summary(&built, network));
    let name = name(wanted, &plan);
    let lock = bases.lock;
    let revision = revision(wanted.folder);
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

fn name(wanted: &Wanted<'_>, plan: &Plan) -> String {
    if let Some(name) = &wanted.name {
        return name.clone();
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
