use std::sync::Arc;

use kiln_oci::{Arch, Digest};
use kiln_plan::{Plan, Step as Command};
use kiln_rootfs::Tree;

use super::as_locked::check_installed;
use super::configure::{BaseImage, Facts, annotations, configure};
use super::project_settings::harmless;
use super::step::{Commands, Surroundings};
use super::{as_locked, manifest, modules, pnp, split, yarn_settings};
use crate::Error;
use crate::engine::{BuildTarget, Choose, Copy, Dir, Files, Graph, Op, Origin, Part, Source, Step, StepId};
use crate::error::ErrorKind;

/// Where the app lies, in the builder and in the image.
const FOLDER: &str = "/app/";

/// What an image of an app is made from.
pub struct Request<'a> {
    /// The decisions.
    pub plan: &'a Plan,
    /// The source files, without `node_modules` and what `.dockerignore` leaves out.
    pub source: &'a Arc<Tree>,
    /// What commands run in; it changes whenever that does.
    pub builder: Digest,
    /// What the image is built on.
    pub base: &'a BaseImage,
    /// Which machines the image is for.
    pub arch: Arch,
    /// What the image says of itself beyond the plan.
    pub facts: &'a Facts,
    /// What commands may use of this machine.
    pub around: &'a Surroundings,
}

/// An app as a graph.
pub struct Graphed {
    /// The steps.
    pub graph: Graph,
    /// What they lead to.
    pub target: BuildTarget,
    /// Install what the app is built with, in this order; empty where nothing is built.
    pub installed: Vec<StepId>,
    /// Makes the layer of the dependencies.
    pub dependencies: StepId,
    /// Makes the layer of the app.
    pub app: StepId,
}

/// Turns a plan into steps.
pub fn lower(request: &Request<'_>) -> Result<Graphed, Error> {
    let plan = request.plan;
    let commands = Commands { plan, around: request.around };
    let mut stages = Stages { graph: Graph::default(), commands };
    let builder = stages.push(None, Op::Builder(request.builder), "builder", "the base of build steps");
    let folder = stages.folder(builder);
    let manifests = stages.copy(folder, &Arc::new(manifests(request)?), "manifests", "copy the manifests");
    let production = stages.run(manifests, &plan.production, "production", false);
    let scripts = plan.scripts();
    // Where nothing is built, nothing is installed for it.
    let (below, above, installed) = if scripts.is_empty() {
        (folder, builder, Vec::new())
    } else {
        let first = stages.graph.steps.len();
        let last = stages.run(manifests, &plan.install, "install", false);
        (last, last, (first..stages.graph.steps.len()).collect())
    };
    let copied = stages.copy(below, &sources(request)?, "build", "copy the app");
    let built = stages.run(copied, &scripts, "build", true);
    let base = stages.push(None, Op::Base(request.base.layers.clone()), "image", &request.base.name);
    let locked = plan.locked.clone();
    let linker = plan.linker;
    let of_lock = if locked.is_empty() { String::new() } else { format!("{locked:?}") };
    let of_lock = linker.map_or(of_lock, |linker| format!("{linker:?}"));
    let choose: Choose = Arc::new(move |left| {
        check_installed(left, &locked)?;
        split::dependencies(left, linker)
    });
    let chosen = Part { rules: of_lock, ..part("dependencies", (builder, production), choose) };
    let dependencies = stages.push(Some(base), Op::Part(chosen), "image", "dependencies");
    let shipping = plan.shipping.clone();
    let rules = format!("{shipping:?}");
    let source = request.source.clone();
    let choose: Choose = Arc::new(move |left| split::app(left, &source, &shipping));
    let beside = if scripts.is_empty() { Vec::new() } else { vec![production, above] };
    let chosen = Part { beside, rules, ..part("app", (above, built), choose) };
    let app = stages.push(Some(dependencies), Op::Part(chosen), "image", "app");
    let history = [("dependencies", dependencies), ("app", app)];
    let target = BuildTarget {
        top: app,
        config: configure(plan, request.base, request.arch, request.facts),
        history: history.map(|(what, step)| (format!("kiln build: {what}"), Some(step))).into(),
        comment: None,
        annotations: annotations(plan, request.base, request.facts),
    };
    Ok(Graphed { graph: stages.graph, target, installed, dependencies, app })
}

/// The files of the app as its own commands see them.
fn sources(request: &Request<'_>) -> Result<Arc<Tree>, Error> {
    match request.plan.linker {
        Some(_) => Ok(Arc::new(yarn_settings::for_scripts(request.source)?)),
        None => Ok(request.source.clone()),
    }
}

/// A choice of what the steps above one left, up to another.
fn part(name: &'static str, (above, from): (StepId, StepId), choose: Choose) -> Part {
    let code =
        &[split::CODE, modules::CODE, as_locked::CODE, manifest::CODE, pnp::CODE, kiln_plan::SHIP_CODE];
    Part { from, above, beside: Vec::new(), name, code, rules: String::new(), choose }
}

/// The files that decide what is installed, as commands with logins may see them.
fn manifests(request: &Request<'_>) -> Result<Tree, Error> {
    let mut tree = Tree::new();
    for path in &request.plan.manifests {
        if let Some(entry) = request.source.get(path) {
            tree.insert(path.clone(), harmless(path, entry, request.plan.manager)?)
                .map_err(|source| ErrorKind::Tree { source })?;
        }
    }
    Ok(tree)
}

struct Stages<'a> {
    graph: Graph,
    commands: Commands<'a>,
}

impl Stages<'_> {
    fn push(&mut self, below: Option<StepId>, op: Op, stage: &str, text: &str) -> StepId {
        let origin = Origin { line: 0, stage: stage.to_owned(), text: text.to_owned() };
        self.graph.steps.push(Step { below, op, origin });
        self.graph.steps.len() - 1
    }

    fn folder(&mut self, below: StepId) -> StepId {
        let dir = Dir { path: FOLDER.trim_end_matches('/').to_owned(), user: String::new() };
        self.push(Some(below), Op::Dir(dir), "manifests", "make /app")
    }

    /// Everything of a tree, in the folder of the app.
    fn copy(&mut self, below: StepId, files: &Arc<Tree>, stage: &str, text: &str) -> StepId {
        let source = Source::Files(Files::Context(files.clone()), "/".to_owned());
        let copy = Copy { sources: vec![source], ..Copy::to(FOLDER) };
        self.push(Some(below), Op::Copy(copy), stage, text)
    }

    fn run(&mut self, below: StepId, steps: &[Command], stage: &str, is_build: bool) -> StepId {
        steps.iter().fold(below, |below, step| {
            let exec = self.commands.exec(step, is_build);
            self.push(Some(below), Op::Run(exec), stage, &step.argv.join(" "))
        })
    }
}
