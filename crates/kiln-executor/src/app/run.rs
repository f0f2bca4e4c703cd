//! From a project to an image in the store, without a name yet.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use kiln_app::App;
use kiln_build::app::{
    BaseImage, Facts, Graphed, Request, check_entry, check_natives, installed_packages, lower,
};
use kiln_build::engine::StepId;
use kiln_finding::{Failure, size};
use kiln_images::Machine;
use kiln_oci::Arch;
use kiln_plan::Plan;
use kiln_proof::Built;
use kiln_rootfs::Tree;
use kiln_sandbox::Ids;
use kiln_store::{Layout, StepCache};

use super::addresses::check_addresses;
use super::bases::{self, Bases};
use super::sources;
use super::surroundings::{secrets, surroundings};
use super::wanted::Wanted;
use crate::base::Supply;
use crate::engine::{Check, Engine, Given, Made};
use crate::outside::Outside;
use crate::progress::Progress;
use crate::times::image_times;

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
    tell_changes(&plan, &app.tree, progress);

    progress.start("base", "composing the base");
    let supply = Supply::new(machine, wanted.folder, wanted.base, progress);
    let locked =
        bases::lock(wanted.folder, &plan, wanted.base, &archs(arch, host), &supply, wanted.is_locked)?;
    let steps = StepCache::create(&machine.cache_dir.join("steps"))?;
    let bases = Bases::new(locked.lock, (arch, host), &supply, layout, &steps).holding(&plan);
    let base = bases.runtime()?;
    progress.done(&base_summary(&bases, &base, locked.written));

    let times = image_times(None)?;
    let native = !plan.natives.is_empty();
    let source = Arc::new(app.tree);
    let facts = Facts {
        created: times.1.clone(),
        licence: app.facts.package.license.as_ref().and_then(|licence| Some(licence.as_str()?.to_owned())),
        // The commit goes into the provenance: a label would make the digest depend on how the sources came here.
        revision: None,
    };
    let graphed = lower(&Request {
        plan: &plan,
        source: &source,
        builder: bases.builder_digest(native),
        base: &base,
        arch,
        facts: &facts,
        around: &surroundings(wanted, machine.offline),
    })?;
    let network = Outside::choose(None)?.name();
    let addresses = app.facts.lock.as_ref().map_or(&[][..], |(_, lock)| &lock.addresses);
    // Asking npm takes longer than a build that changes nothing.
    let given = || {
        let npm = supply.npm();
        check_addresses(addresses, npm)?;
        Ok(Given { outside: Outside::choose(Some(npm))?, secrets: secrets(npm, plan.manager)? })
    };
    let engine = Engine {
        machine,
        layout,
        options: &wanted.options,
        progress,
        // What an app ships is root's, and so is what its commands make: they need no other ids.
        ids: Ids::One,
        given: &given,
        npm: None,
        without_network: "this command has no network; `network = true` under [build] in kiln.toml gives the build script one",
        make_builder: &|_, folder| bases.make_builder(native, folder),
        times,
        labels: Vec::new(),
        told: &Failure::from,
    };
    let target = graphed.target.clone();
    let network_of = |made: &Made| match () {
        () if machine.offline => "none",
        () if made.had_host_network => "host",
        () => network,
    };
    let summary = |made: &Made| build_summary(made, &graphed, network_of(made));
    let bundled = kiln_plan::bundled(&app.facts, &plan);
    let built_with = Mutex::new(BTreeSet::new());
    let check: Check<'_> = &|solver| {
        check_entry(&plan, &graphed, solver)?;
        check_natives(&plan, arch, &graphed, solver)?;
        if bundled.is_some() {
            *built_with.lock().expect("nothing panics there") = installed_packages(&graphed, solver)?;
        }
        Ok(())
    };
    // git is asked meanwhile.
    let (made, sources) = std::thread::scope(|scope| {
        let sources = scope.spawn(|| sources::commit(wanted.folder, wanted.settings, &source));
        let made = engine.make(&graphed.graph, target, check, &summary);
        (made, sources.join().expect("nothing panics there"))
    });
    let made = made?;
    let network = network_of(&made);
    let name = wanted.name.clone().unwrap_or_else(|| plan.image());
    let lock = bases.lock;
    Ok(Built {
        facts: app.facts,
        tree: source,
        plan,
        arch,
        lock,
        base,
        manifest: made.manifest,
        name,
        network,
        cache_from: wanted.options.cache_from.clone(),
        secrets: wanted.options.secrets.keys().cloned().collect(),
        sources,
        bundled,
        built_with: built_with.into_inner().expect("nothing panics there"),
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

/// What of the app and its start script is not in the image: who runs it must know.
fn tell_changes(plan: &Plan, sources: &Tree, progress: &dyn Progress) {
    let tell = progress.teller();
    let left_out = plan.shipping.left_out(sources);
    if !left_out.is_empty() {
        let bytes = size(left_out.iter().map(|file| file.bytes).sum());
        let files = if left_out.len() == 1 { "1 file" } else { &format!("{} files", left_out.len()) };
        tell(&format!("note: left out of the image: {files} ({bytes}); `kiln plan` says which and why"));
    }
    for aside in &plan.aside {
        tell(&format!("note: `{}` of the start script is set aside: {}", aside.command, aside.what.told()));
    }
    for reason in plan.reasons.iter().filter(|reason| reason.is_told) {
        match reason.about {
            "install scripts" | "own scripts" => {
                tell(&format!("note: {} {}: {}", reason.about, reason.decision, reason.because));
            }
            _ => tell(&format!("note: {}", reason.because)),
        }
    }
}

fn plan_summary(plan: &Plan) -> String {
    let scripts = plan.scripts();
    let steps = plan.install.first().into_iter().chain(&scripts);
    let commands = steps.map(|step| step.argv.iter().take(3).cloned().collect::<Vec<_>>().join(" "));
    let start = format!("node {}", plan.entry.join(" "));
    commands.chain([start]).collect::<Vec<_>>().join(" → ")
}

fn base_summary(bases: &Bases<'_>, base: &BaseImage, written: bool) -> String {
    let total: u64 = base.layers.iter().map(|layer| layer.descriptor.size).sum();
    let lock = if written { ", pinned in kiln.lock" } else { "" };
    format!("Debian {}, Node {}, {}{lock}", bases.lock.distribution, bases.node_version(), size(total))
}

fn build_summary(made: &Made, graphed: &Graphed, network: &str) -> String {
    let part = |what: &str, step: StepId| {
        let cached = if made.done.contains(&step) { "" } else { " (unchanged)" };
        let bytes =
            made.layers.iter().find(|(id, _)| *id == step).map_or(0, |(_, layer)| layer.descriptor.size);
        format!("{what} {}{cached}", size(bytes))
    };
    let network = if network == "host" && !made.done.is_empty() { ", network: host" } else { "" };
    format!("{}, {}{network}", part("dependencies", graphed.dependencies), part("app", graphed.app))
}
