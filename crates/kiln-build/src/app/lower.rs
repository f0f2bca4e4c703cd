use std::sync::Arc;

use kiln_oci::{Arch, Digest};
use kiln_plan::{Plan, Step as Command};
use kiln_rootfs::Tree;

use super::configure::{BaseImage, Facts, annotations, configure};
use super::project_settings::harmless;
use super::split;
use super::step::{Commands, Surroundings};
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
    /// Makes the layer of the dependencies.
    pub dependencies: StepId,
    /// Makes the layer of the app.
    pub app: StepId,
}

/// Turns a plan into steps.
pub fn lower(request: &Request<'_>) -> Result<Graphed, Error> {
    let plan = request.plan;
    let mut stages = Stages {
        graph: Graph::default(),
        commands: Commands { plan, around: request.around },
        manifests: Arc::new(manifests(request)?),
    };
    let builder = stages.push(None, Op::Builder(request.builder), "builder", "the base of build steps");
    let production = stages.install(builder, "production", &plan.production);
    // Where nothing is built, nothing is installed for it.
    let (below, above) = if plan.build.is_empty() {
        (stages.folder(builder, "build"), builder)
    } else {
        let installed = stages.install(builder, "install", &plan.install);
        (installed, installed)
    };
    let built = stages.build(below, request.source, &plan.build);
    let base = stages.push(None, Op::Base(request.base.layers.clone()), "image", &request.base.name);
    let dependencies = stages.part(base, "dependencies", (builder, production), split::dependencies);
    let app = stages.part(dependencies, "app", (above, built), split::app);
    let history = [("dependencies", dependencies), ("app", app)];
    let target = BuildTarget {
        top: app,
        config: configure(plan, request.base, request.arch, request.facts),
        history: history.map(|(what, step)| (format!("kiln build: {what}"), Some(step))).into(),
        comment: None,
        annotations: annotations(plan, request.base, request.facts),
    };
    Ok(Graphed { graph: stages.graph, target, dependencies, app })
}

/// The files that decide what is installed, as commands with logins may see them.
fn manifests(request: &Request<'_>) -> Result<Tree, Error> {
    let mut tree = Tree::new();
    for path in &request.plan.manifests {
        if let Some(entry) = request.source.get(path) {
            tree.insert(path.clone(), harmless(path, entry)?).map_err(|source| ErrorKind::Tree { source })?;
        }
    }
    Ok(tree)
}

struct Stages<'a> {
    graph: Graph,
    commands: Commands<'a>,
    manifests: Arc<Tree>,
}

impl Stages<'_> {
    fn push(&mut self, below: Option<StepId>, op: Op, stage: &str, text: &str) -> StepId {
        let origin = Origin { line: 0, stage: stage.to_owned(), text: text.to_owned() };
        self.graph.steps.push(Step { below, op, origin });
        self.graph.steps.len() - 1
    }

    /// What is chosen of the steps above one, up to another.
    fn part(&mut self, below: StepId, name: &'static str, steps: (StepId, StepId), choose: Choose) -> StepId {
        let (above, from) = steps;
        let part = Part { from, above, name, code: &[split::CODE, kiln_plan::SHIP_CODE], choose };
        self.push(Some(below), Op::Part(part), "image", name)
    }

    fn folder(&mut self, below: StepId, stage: &str) -> StepId {
        let dir = Dir { path: FOLDER.trim_end_matches('/').to_owned(), user: String::new() };
        self.push(Some(below), Op::Dir(dir), stage, "make /app")
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

    fn install(&mut self, builder: StepId, stage: &str, steps: &[Command]) -> StepId {
        let folder = self.folder(builder, stage);
        let manifests = self.manifests.clone();
        let copied = self.copy(folder, &manifests, stage, "copy the manifests");
        self.run(copied, steps, stage, false)
    }

    fn build(&mut self, below: StepId, source: &Arc<Tree>, steps: &[Command]) -> StepId {
        let copied = self.copy(below, source, "build", "copy the app");
        self.run(copied, steps, "build", true)
    }
}
