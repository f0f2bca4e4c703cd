use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use kiln_app::BuildContext;
use kiln_build::dockerfile::{Request, lower};
use kiln_disk::{Scratch, disk_failure};
use kiln_dockerfile::{Dockerfile, FILE_MAX, parse};
use kiln_finding::{Class, Failure, size};
use kiln_images::Machine;
use kiln_oci::{Arch, Descriptor};
use kiln_proof::Gate;
use kiln_store::Layout;

use super::inputs::World;
use super::options::Options;
use crate::base::{self, Supply};
use crate::engine::{Engine, Given, Made, ids};
use crate::outside::Outside;
use crate::progress::Progress;
use crate::times::image_times;

/// What kiln.toml says of builds.
pub struct DockerfileSettings<'a> {
    /// Where bases of kiln's own come from.
    pub base: &'a base::BaseSettings,
    /// Who must have signed other bases.
    pub trust: &'a kiln_proof::trust::TrustSettings,
}

/// Builds a Dockerfile over the folder `folder`. Yields the manifest of the image, which is in `layout` without a name.
pub fn build(
    folder: &Path,
    options: &Options,
    settings: &DockerfileSettings<'_>,
    machine: &Machine,
    layout: &Layout,
    progress: &dyn Progress,
) -> Result<Descriptor, Failure> {
    progress.start("read", "reading the Dockerfile");
    let path = options.file.clone().unwrap_or_else(|| folder.join("Dockerfile"));
    let file = read(&path)?;
    let host =
        Arch::host().ok_or_else(|| Failure::usage("build here: kiln does not run commands of this CPU"))?;
    let times = image_times(options.build_args.get("SOURCE_DATE_EPOCH").map(String::as_str))?;
    let (note, say) = (progress.notifier(), progress.teller());
    let spool = Scratch::create(&machine.cache_dir.join("spool"))?;
    let (named, contexts) = contexts(&options.contexts)?;
    let own_ignore = (path.as_os_str() != "-").then_some(path.as_path());
    let supply = Supply::new(machine, folder, settings.base, progress);
    let world = World {
        machine,
        supply: &supply,
        folder,
        limit: options.build.limit(),
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
    let told = |error| located(&shown, error);
    let (graph, target) = lower(&file, &request, &world).map_err(told)?;
    progress.done(&format!("{shown}: {} steps", graph.steps.len()));

    let npm = options.npm_settings.then(|| supply.npm());
    let engine = Engine {
        machine,
        layout,
        options: &options.build,
        progress,
        ids: ids(),
        given: &|| Ok(Given { outside: Outside::choose(npm)?, secrets: BTreeMap::new() }),
        npm,
        without_network: "this command has no network (--network=none)",
        make_builder: &|_, _| Err(Failure::new("kiln.bug", Class::Bug, "make a builder for a Dockerfile")),
        times,
        labels: options.labels.clone(),
        told: &told,
    };
    Ok(engine.make(&graph, target, &|_| Ok(()), &summary)?.manifest)
}

fn summary(made: &Made) -> String {
    let bytes: u64 = made.layers.iter().map(|(_, layer)| layer.descriptor.size).sum();
    format!("{}, {} in {} layers", made.steps, size(bytes), made.layers.len())
}

fn read(path: &Path) -> Result<Dockerfile, Failure> {
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().take(FILE_MAX + 1).read_to_string(&mut text)
    } else {
        kiln_disk::open(path).and_then(|file| file.take(FILE_MAX + 1).read_to_string(&mut text))
    };
    read.map_err(|error| disk_failure("read", path, &error))?;
    if text.len() as u64 > FILE_MAX {
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
