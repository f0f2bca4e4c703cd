use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use kiln_app::BuildContext;
use kiln_build::dockerfile::{Request, Solver, lower};
use kiln_disk::{Scratch, disk_failure};
use kiln_dockerfile::{Dockerfile, parse};
use kiln_finding::{Class, Failure, size};
use kiln_images::Machine;
use kiln_oci::{Arch, Descriptor};
use kiln_proof::Gate;
use kiln_store::{Layout, StepCache};

use super::assemble::assemble;
use super::exec::Executor;
use super::ids::ids;
use super::inputs::World;
use super::notes::NoteBook;
use super::options::Options;
use super::share;
use super::watch::Telling;
use super::workshop::Shop;
use crate::base::{self, Supply};
use crate::outside::Outside;
use crate::progress::Progress;
use crate::times::image_times;

/// The largest Dockerfile, in bytes.
const DOCKERFILE_MAX: u64 = 8 << 20;

/// What kiln.toml says of builds.
pub struct Settings<'a> {
    /// Where bases of kiln's own come from.
    pub base: &'a base::Settings,
    /// Who must have signed other bases.
    pub trust: &'a kiln_proof::trust::TrustSettings,
}

/// Builds a Dockerfile over the folder `folder`. Yields the manifest of the image, which is in `layout` without a name.
pub fn build(
    folder: &Path,
    options: &Options,
    settings: &Settings<'_>,
    machine: &Machine,
    layout: &Layout,
    progress: &dyn Progress,
) -> Result<Descriptor, Failure> {
    progress.start("read", "reading the Dockerfile");
    let path = options.file.clone().unwrap_or_else(|| folder.join("Dockerfile"));
    let file = read(&path)?;
    let host =
        Arch::host().ok_or_else(|| Failure::usage("build here: kiln does not run commands of this CPU"))?;
    let (mtime, created) = image_times(options.build_args.get("SOURCE_DATE_EPOCH").cloned())?;
    let note = progress.notifier();
    let say = progress.teller();
    let telling = Telling::new(options, &*note, &*say);
    let notes = NoteBook::new(StepCache::create(&machine.cache_dir.join("steps"))?);
    let spool = Scratch::create(&machine.cache_dir.join("spool"))?;
    let (named, contexts) = contexts(&options.contexts)?;
    let own_ignore = (path.as_os_str() != "-").then_some(path.as_path());
    let supply = Supply::new(machine, folder, settings.base, progress);
    let world = World {
        machine,
        supply: &supply,
        folder,
        gate: Gate::new(machine, settings.trust),
        bases: Mutex::default(),
        layout,
        main: BuildContext::open(folder, own_ignore)?,
        named,
        spool: spool.path().join("files"),
        next: AtomicU64::new(0),
        note: &*note,
        say: &*say,
    };
    let request = Request {
        target: options.target.clone(),
        build_args: options.build_args.clone(),
        arch: options.arch.unwrap_or(host),
        host,
        contexts,
    };
    let shown = path.display().to_string();
    let (graph, target) = lower(&file, &request, &world).map_err(|error| located(&shown, error))?;
    progress.done(&format!("{shown}: {} steps", graph.steps.len()));

    progress.start("build", "looking into the cache");
    let on_line = |origin: &_, line: &str| telling.line(origin, line);
    let npm = options.npm_settings.then(|| supply.npm());
    let executor = Executor {
        outside: Outside::choose(npm)?,
        npm,
        secrets: options.secrets.clone(),
        agents: options.agents.clone(),
        timeout: options.timeout.map(Duration::from_secs),
        offline: machine.offline,
        caches: machine.cache_dir.join("mounts"),
        on_line: &on_line,
    };
    let ids = ids();
    let mut shop = Shop::new(layout, &notes, &executor, &machine.cache_dir, ids, mtime, options.compression);
    for place in &options.cache_from {
        // A cache that cannot be had costs time, and the user wants to know.
        if let Err(failure) = share::import(place, &mut shop, machine) {
            say(&format!("  warning: the cache {place} is not used: {}", failure.sentence()));
        }
    }
    let solver = Solver::new(&graph, &shop, &notes, &telling, options.no_cache);
    let layers = solver.layers(target.top).map_err(|error| located(&shown, error))?;
    let top = target.top;
    let manifest = assemble(target, &layers, options.labels.clone(), &created, layout)?;
    let bytes: u64 = layers.iter().map(|(_, layer)| layer.descriptor.size).sum();
    progress.done(&format!("{}, {} in {} layers", telling.summary(), size(bytes), layers.len()));
    for place in &options.cache_to {
        progress.start("cache", place);
        let shared = solver.shared(top).map_err(|error| located(&shown, error))?;
        progress.done(&format!("{} steps to {place}", shared.steps.len()));
        share::export(place, shared, &shop, layout, machine)?;
    }
    Ok(manifest)
}

fn read(path: &Path) -> Result<Dockerfile, Failure> {
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().take(DOCKERFILE_MAX + 1).read_to_string(&mut text)
    } else {
        kiln_disk::open(path).and_then(|file| file.take(DOCKERFILE_MAX + 1).read_to_string(&mut text))
    };
    read.map_err(|error| disk_failure("read", path, &error))?;
    if text.len() as u64 > DOCKERFILE_MAX {
        let what = format!("read {}: it has more than 8 MiB", path.display());
        return Err(Failure::new("build.dockerfile", Class::Config, what));
    }
    let file = parse(&text);
    let Some(problem) = file.problems.iter().find(|problem| problem.is_error()) else { return Ok(file) };
    let line = file.lines.line(problem.span.start);
    let what = format!("read {}:{line}: {}", path.display(), problem.message);
    let failure = Failure::new("build.dockerfile", Class::Config, what);
    Err(match &problem.help {
        Some(help) => failure.with_help(help.clone()),
        None => failure,
    })
}

/// Names the file and the line of what went wrong.
fn located(file: &str, error: kiln_build::Error) -> Failure {
    let line = error.line();
    let mut failure = Failure::from(error);
    if let Some(line) = line {
        failure.what = format!("{file}:{line}: {}", failure.sentence());
    }
    failure
}

type Contexts = (BTreeMap<String, BuildContext>, BTreeMap<String, Option<String>>);

/// Folders by name, and images by name.
fn contexts(named: &[String]) -> Result<Contexts, Failure> {
    let (mut folders, mut names) = (BTreeMap::new(), BTreeMap::new());
    for text in named {
        let (name, place) = text
            .split_once('=')
            .ok_or_else(|| Failure::usage(format!("use --build-context {text}: it is NAME=PLACE")))?;
        let name = name.to_lowercase();
        let image =
            place.strip_prefix("docker-image://").or_else(|| place.starts_with("oci:").then_some(place));
        let image = image
            .map(str::to_owned)
            .or_else(|| Some(format!("oci:{}", place.strip_prefix("oci-layout://")?)));
        if image.is_none() {
            folders.insert(name.clone(), BuildContext::open(&PathBuf::from(place), None)?);
        }
        names.insert(name, image);
    }
    Ok((folders, names))
}
