//! From a Dockerfile to the steps that its target needs. Source: BuildKit, `frontend/dockerfile/dockerfile2llb`.

mod configure;
mod copy;
mod run;
mod stage;

use std::collections::BTreeMap;
use std::sync::Arc;

use kiln_dockerfile::{Command, Dockerfile, From, Reference, Scope, Stages};
use kiln_finding::Diagnose;
use kiln_oci::{Arch, ImageConfig};
use kiln_rootfs::{Content, RootPath, Tree};

use crate::Error;
use crate::engine::{Base, BuildTarget, Files, Graph, Op, Origin, Step, StepId};
use crate::error::ErrorKind;
pub use copy::is_repository;
use stage::StageState;

/// Who wrote a history entry.
const COMMENT: &str = "kiln.dockerfile.v0";

/// What a Dockerfile takes from outside.
pub trait Inputs: Sync {
    /// What can go wrong.
    type Error: Diagnose + Send + Sync + 'static;

    /// The image of this name for this architecture.
    fn base(&self, name: &str, arch: Arch) -> Result<Base, Self::Error>;

    /// The files at and below these paths of a build context, without what is ignored: of the main one, or of one with a
    /// name. A path that is not there is left out.
    fn files(&self, context: Option<&str>, paths: &[RootPath]) -> Result<Tree, Self::Error>;

    /// What `ADD` finds at an address, as a tree with one file; of a repository, all of it.
    fn remote(&self, remote: &Remote<'_>) -> Result<Tree, Self::Error>;

    /// What an archive holds; `None` for a file that is no archive.
    fn unpack(&self, file: &Content) -> Result<Option<Tree>, Self::Error>;
}

/// Something that `ADD` fetches.
#[derive(Clone, Debug)]
pub struct Remote<'a> {
    /// An address, of a file or of a Git repository.
    pub address: &'a str,
    /// `--checksum`
    pub checksum: Option<&'a str>,
    /// `--keep-git-dir`
    pub keep_git_dir: bool,
}

/// What is asked of a build.
#[derive(Clone, Debug)]
pub struct Request {
    /// The stage to build; the last one where there is none.
    pub target: Option<String>,
    /// `--build-arg`
    pub build_args: BTreeMap<String, String>,
    /// What the image is for.
    pub arch: Arch,
    /// What this machine can run.
    pub host: Arch,
    /// Other contexts by name: `Some` is an image to use under that name, `None` a context of [`Inputs::files`].
    pub contexts: BTreeMap<String, Option<String>>,
}

/// Turns the target and all it needs into steps. Problems of the file must have been looked at before.
pub fn lower<I: Inputs>(
    file: &Dockerfile,
    request: &Request,
    inputs: &I,
) -> Result<(Graph, BuildTarget), Error> {
    let stages = file.stages();
    let target = stages.target(request.target.as_deref()).ok_or_else(|| no_target(&stages, request))?;
    let mut lowerer = Lowerer::new(file, &stages, request, inputs);
    lowerer.refuse_circles()?;
    let state = lowerer.stage(target)?;
    let state = Arc::unwrap_or_clone(state);
    let target = BuildTarget {
        top: state.top,
        config: state.config,
        history: state.history,
        comment: Some(COMMENT),
        annotations: BTreeMap::new(),
    };
    Ok((lowerer.graph, target))
}

fn no_target(stages: &Stages<'_>, request: &Request) -> Error {
    let names: Vec<&str> = stages.list.iter().filter_map(|stage| stage.name.as_deref()).collect();
    let target = request.target.as_deref().unwrap_or_default();
    let help = kiln_finding::did_you_mean(target, names.iter().copied())
        .or_else(|| (!names.is_empty()).then(|| format!("the stages are {}", names.join(", "))));
    Error::refused(format!("there is no stage `{target}`"), help)
}

struct Lowerer<'a, I> {
    file: &'a Dockerfile,
    stages: &'a Stages<'a>,
    request: &'a Request,
    inputs: &'a I,
    globals: Scope,
    graph: Graph,
    done: BTreeMap<usize, Arc<StageState>>,
    /// Images that files are copied from, by name and architecture.
    images: BTreeMap<(String, &'static str), StepId>,
}

impl<'a, I: Inputs> Lowerer<'a, I> {
    fn new(file: &'a Dockerfile, stages: &'a Stages<'a>, request: &'a Request, inputs: &'a I) -> Self {
        let target = stages.target(request.target.as_deref()).and_then(|at| stages.list[at].name.clone());
        let globals = Scope::global(request.build_args.clone(), automatic(request, target));
        let (graph, done, images) = (Graph::default(), BTreeMap::new(), BTreeMap::new());
        let mut lowerer = Self { file, stages, request, inputs, globals, graph, done, images };
        for arg in &stages.globals {
            if let Command::Arg(args) = &arg.command {
                // What cannot be replaced here shows where it is used.
                drop(lowerer.globals.declare(args, file.escape));
            }
        }
        lowerer
    }

    fn expand(&self, word: &str, scope: &Scope) -> Result<String, Error> {
        let failed = |source| ErrorKind::Variables { what: "replace the variables", source };
        Ok(kiln_dockerfile::expand(word, scope, self.file.escape).map_err(failed)?.value)
    }

    fn image_of(&self, from: &From) -> Result<String, Error> {
        self.expand(&from.image.value, &self.globals)
    }

    fn refuse_circles(&self) -> Result<(), Error> {
        let image = |at: usize| self.stages.list[at].from.and_then(|from| self.image_of(from).ok());
        let Some(circle) = self.stages.cycles(&image).into_iter().next() else { return Ok(()) };
        let names: Vec<String> = circle.iter().map(|&at| stage_name(&self.stages.list[at])).collect();
        Err(Error::refused(format!("the stages {} need each other", names.join(" and ")), None))
    }

    /// What a stage comes to, with everything it needs.
    fn stage(&mut self, index: usize) -> Result<Arc<StageState>, Error> {
        if let Some(done) = self.done.get(&index) {
            return Ok(done.clone());
        }
        let stage = &self.stages.list[index];
        let origin = Origin {
            line: stage.instruction.line,
            stage: stage_name(stage),
            text: stage.instruction.original.clone(),
        };
        let from =
            stage.from.ok_or_else(|| Error::refused("no builder can read this FROM", None).at(&origin))?;
        let mut state = self.start(index, from, &origin).map_err(|error| error.at(&origin))?;
        for instruction in &stage.instructions {
            let origin = Origin {
                line: instruction.line,
                stage: origin.stage.clone(),
                text: instruction.original.clone(),
            };
            state.origin.clone_from(&origin);
            self.instruction(&mut state, instruction).map_err(|error| error.at(&origin))?;
        }
        let state = Arc::new(state);
        self.done.insert(index, state.clone());
        Ok(state)
    }

    /// The state before the first instruction: the base's, another stage's, or nothing's.
    fn start(&mut self, index: usize, from: &From, origin: &Origin) -> Result<StageState, Error> {
        let image = self.image_of(from)?;
        if image.is_empty() {
            let help = "give the ARG a default, or set it with --build-arg".to_owned();
            return Err(Error::refused("the name of the image is empty", Some(help)));
        }
        let arch = self.arch_of(from)?;
        let reference = self
            .named_image(&image)
            .map_or_else(|| self.stages.resolve_from(&image, index), Reference::Image);
        let mut state = match reference {
            Reference::Stage(other) => {
                let below = self.stage(other)?;
                StageState { cmd_set: false, ..StageState::clone(&below) }
            }
            Reference::Scratch => {
                let top = self.push(None, Op::Base(Vec::new()), origin);
                StageState::new(top, empty_config(arch), arch, self.globals.stage([]))
            }
            Reference::Image(image) => {
                let base = self.inputs.base(&image, arch).map_err(Error::port("find the base image"))?;
                let top = self.push(None, Op::Base(base.layers), origin);
                let env = env_pairs(&base.config);
                StageState::new(top, base.config, arch, self.globals.stage(env))
            }
        };
        state.origin = origin.clone();
        state.start();
        self.triggers(&mut state)?;
        Ok(state)
    }

    /// The image that the command line gives for this name.
    fn named_image(&self, name: &str) -> Option<String> {
        self.request.contexts.get(&name.to_lowercase()).cloned().flatten()
    }

    fn arch_of(&self, from: &From) -> Result<Arch, Error> {
        let Some(platform) = &from.platform else { return Ok(self.request.arch) };
        let platform = self.expand(&platform.value, &self.globals)?;
        platform.parse::<Arch>().map_err(|_| {
            let help = "kiln builds for linux/amd64 and linux/arm64".to_owned();
            Error::refused(format!("`{platform}` is no platform that kiln knows"), Some(help))
        })
    }

    /// Runs what the base image left for its children (`ONBUILD`).
    fn triggers(&mut self, state: &mut StageState) -> Result<(), Error> {
        for text in state.take_triggers() {
            let file = kiln_dockerfile::parse(&format!("FROM scratch\n{text}"));
            for instruction in file.instructions.iter().skip(1) {
                let forbidden = matches!(instruction.name().as_str(), "FROM" | "MAINTAINER" | "ONBUILD");
                if forbidden || file.has_errors() {
                    return Err(Error::refused(
                        format!("the base image asks for `{text}`, which cannot be done"),
                        None,
                    ));
                }
                let line = state.origin.line;
                state.origin = Origin { line, text: instruction.original.clone(), ..state.origin.clone() };
                self.instruction(state, instruction)?;
            }
        }
        Ok(())
    }

    fn push(&mut self, below: Option<StepId>, op: Op, origin: &Origin) -> StepId {
        self.graph.steps.push(Step { below, op, origin: origin.clone() });
        self.graph.steps.len() - 1
    }

    /// Where `--from` takes files: a stage, a context with a name, or an image.
    fn source(
        &mut self,
        from: &str,
        arch: Arch,
        paths: &[RootPath],
        origin: &Origin,
    ) -> Result<Files, Error> {
        if let Some(None) = self.request.contexts.get(&from.to_lowercase()) {
            let tree = self.inputs.files(Some(&from.to_lowercase()), paths);
            return Ok(Files::Context(Arc::new(tree.map_err(Error::port("read the context"))?)));
        }
        let reference = match self.named_image(from) {
            Some(image) => Reference::Image(image),
            None => self.stages.resolve_copy(from).ok_or_else(|| {
                let count = self.stages.list.len();
                Error::refused(
                    format!("there is no stage {from}"),
                    Some(format!("stages are counted from 0 to {}", count - 1)),
                )
            })?,
        };
        let image = match reference {
            Reference::Stage(index) => return Ok(Files::Step(self.stage(index)?.top)),
            Reference::Scratch => return Ok(Files::Context(Arc::default())),
            Reference::Image(image) => image,
        };
        let known = (image.clone(), arch.as_str());
        if let Some(&step) = self.images.get(&known) {
            return Ok(Files::Step(step));
        }
        let base = self.inputs.base(&image, arch).map_err(Error::port("find the image to copy from"))?;
        let origin = Origin { stage: image, ..origin.clone() };
        let step = self.push(None, Op::Base(base.layers), &origin);
        self.images.insert(known, step);
        Ok(Files::Step(step))
    }
}

fn stage_name(stage: &kiln_dockerfile::Stage<'_>) -> String {
    stage.name.clone().unwrap_or_else(|| format!("stage-{}", stage.index))
}

/// What `FROM scratch` starts with.
fn empty_config(arch: Arch) -> ImageConfig {
    let mut config = ImageConfig::default();
    arch.as_str().clone_into(&mut config.architecture);
    "linux".clone_into(&mut config.os);
    "/".clone_into(&mut config.config.working_dir);
    config
}

fn env_pairs(config: &ImageConfig) -> Vec<(String, String)> {
    let pairs = config.config.env.iter().filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The arguments that a builder sets by itself.
fn automatic(request: &Request, target: Option<String>) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for (prefix, arch) in [("BUILD", request.host), ("TARGET", request.arch)] {
        for (name, value) in [
            ("PLATFORM", format!("linux/{}", arch.as_str())),
            ("OS", "linux".to_owned()),
            ("OSVERSION", String::new()),
            ("ARCH", arch.as_str().to_owned()),
            ("VARIANT", String::new()),
        ] {
            values.insert(format!("{prefix}{name}"), value);
        }
    }
    values.insert("TARGETSTAGE".to_owned(), target.unwrap_or_else(|| "default".to_owned()));
    values
}
