//! What the old file does, stage by stage.

mod reader;

use kiln_dockerfile::{Command, Dockerfile, Form, Healthcheck, Reference, Scope, Stage, expand};
use kiln_lint::facts::{Base, ImageName, node_major};

use crate::answer::Obstacle;
use crate::commands::Step;
use crate::kept::{Kept, comments, keep};
use reader::{Reader, State};

/// What a Dockerfile does, as far as a rewrite must know.
#[derive(Clone, Debug, Default)]
pub struct Recipe {
    /// `# check=…` and the like, without `# syntax=`.
    pub(crate) directives: Vec<String>,
    /// Comments at the top that belong to no instruction.
    pub(crate) top: Vec<String>,
    /// `ARG` before the first `FROM`.
    pub(crate) globals: Vec<Kept>,
    /// What the final image starts from, in the end.
    pub(crate) run: Image,
    /// What the first stage starts from that installs anything, else `run`.
    pub(crate) build: Image,
    /// `--platform` of the final stage.
    pub(crate) platform: Option<String>,
    /// The final image inherits from a stage that others copy from or that builds.
    pub(crate) chain: Vec<usize>,
    pub(crate) stages: usize,
    /// Where the final image starts.
    pub(crate) workdir: String,
    /// Where each stage ends.
    pub(crate) workdirs: Vec<String>,
    /// Comments of what has another form in the new file, by where they belong.
    pub(crate) said: Said,
    pub(crate) runs: Vec<Ran>,
    pub(crate) copies: Vec<Copied>,
    /// Of the final image and of what it inherits, in order.
    pub(crate) kept: Vec<Kept>,
    /// Of the other stages.
    pub(crate) build_kept: Vec<Kept>,
    pub(crate) entrypoint: Option<Set<Form>>,
    pub(crate) cmd: Option<Set<Form>>,
    pub(crate) health: Option<Set<Healthcheck>>,
    pub(crate) user: Option<String>,
    /// `NODE_ENV` of the final image.
    pub(crate) node_env: Option<String>,
    /// Variables with secrets, by name: in which line, and whether in a stage that only builds.
    pub(crate) secrets: Vec<Secret>,
    pub(crate) volumes: Vec<String>,
    /// What stands in the way of a rewrite.
    pub(crate) obstacles: Vec<Obstacle>,
}

/// Comments of instructions that are written anew.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) runtime: Vec<String>,
    pub(crate) workdir: Vec<String>,
    pub(crate) install: Vec<String>,
    pub(crate) copy: Vec<String>,
    pub(crate) user: Vec<String>,
}

/// An image that a stage starts from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Image {
    /// As it is written, with variables.
    pub(crate) written: String,
    pub(crate) name: ImageName,
    pub(crate) base: Option<&'static Base>,
}

/// A value, where it is written, and the comments above it.
#[derive(Clone, Debug)]
pub(crate) struct Set<T> {
    pub(crate) value: T,
    pub(crate) line: u32,
    pub(crate) comments: Vec<String>,
    /// The flags as they are written.
    pub(crate) flags: Vec<String>,
}

/// A step of a `RUN`.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    pub(crate) step: Step,
    pub(crate) line: u32,
    pub(crate) stage: usize,
    pub(crate) workdir: String,
    pub(crate) comments: Vec<String>,
    /// The whole instruction as it is written, where all of it is this one step.
    pub(crate) whole: Option<String>,
}

/// A `COPY` or `ADD`.
#[derive(Clone, Debug)]
pub(crate) struct Copied {
    pub(crate) from: Option<Reference>,
    pub(crate) sources: Vec<String>,
    /// From the root, without a slash at the end.
    pub(crate) dest: String,
    pub(crate) is_folder: bool,
    pub(crate) line: u32,
    pub(crate) stage: usize,
    pub(crate) comments: Vec<String>,
    pub(crate) text: String,
    pub(crate) is_plain: bool,
}

/// A variable that holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Secret {
    pub(crate) name: String,
    pub(crate) line: u32,
    pub(crate) is_arg: bool,
}

impl Recipe {
    /// Reads what `file` does for its last stage, beside the files that `has` knows.
    pub(crate) fn read(file: &Dockerfile, has: &dyn Fn(&str) -> bool) -> Self {
        let stages = file.stages();
        let mut recipe = Self { stages: stages.list.len(), workdir: "/".to_owned(), ..Self::default() };
        let Some(target) = stages.target(None) else { return recipe };
        recipe.directives = file
            .directives
            .iter()
            .filter(|directive| directive.name != "syntax")
            .map(|directive| format!("# {}={}", directive.name, directive.value.value))
            .collect();
        let mut scope = Scope::global([].into(), [].into());
        for instruction in &stages.globals {
            if let Command::Arg(args) = &instruction.command {
                // What cannot be expanded stays unknown, and so does what uses it.
                drop(scope.declare(args, file.escape));
            }
            recipe.globals.extend(keep(file, instruction));
        }
        recipe.top = top(file);
        let images: Vec<String> = stages.list.iter().map(|stage| image(stage, &scope, file.escape)).collect();
        let as_expanded = |index: usize| images.get(index).cloned();
        let reachable = stages.reachable(target, &as_expanded);
        let mut states: Vec<State> = Vec::new();
        for stage in &stages.list {
            let name = images.get(stage.index).cloned().unwrap_or_default();
            let parent = stages.resolve_from(&name, stage.index);
            states.push(State::new(stage, &name, &parent, &states, &scope));
        }
        recipe.chain = chain(target, &states);
        for stage in stages.list.iter().filter(|stage| reachable.get(stage.index) == Some(&true)) {
            let inherited = states[stage.index].parent.map(|parent| states[parent].clone());
            if let Some(inherited) = inherited {
                let state = &mut states[stage.index];
                (state.scope, state.workdir, state.image) =
                    (inherited.scope, inherited.workdir, inherited.image);
            }
            let mut reader = Reader {
                file,
                recipe: &mut recipe,
                state: &mut states[stage.index],
                stage,
                stages: &stages,
                has,
            };
            for instruction in &stage.instructions {
                reader.read(instruction);
            }
        }
        recipe.finish(&states, target, stages.list.get(target))
    }

    fn finish(mut self, states: &[State], target: usize, stage: Option<&Stage<'_>>) -> Self {
        let Some(last) = states.get(target) else { return self };
        self.workdirs = states.iter().map(|state| state.workdir.clone()).collect();
        self.workdir.clone_from(&last.workdir);
        // Without WORKDIR, the app lies where everything is copied to.
        if self.workdir == "/" {
            let is_whole = |copied: &&Copied| {
                copied.from.is_none()
                    && copied.sources.iter().any(|source| matches!(source.as_str(), "." | "./"))
            };
            let found = self.copies.iter().filter(|copied| self.is_final(copied.stage)).find(is_whole);
            self.workdir = found.map_or_else(|| "/".to_owned(), |copied| copied.dest.clone());
        }
        self.said.runtime = stage.map(|stage| comments(stage.instruction)).unwrap_or_default();
        if self.stages == 1 {
            // The comment above the only FROM is about all of the file.
            let above = std::mem::take(&mut self.said.runtime);
            self.top.extend(above);
        }
        self.run = last.image.clone();
        let builder = self.runs.iter().find(|ran| matches!(ran.step, Step::Install { .. }));
        self.build = builder
            .and_then(|ran| states.get(ran.stage))
            .map_or_else(|| self.run.clone(), |s| s.image.clone());
        self.platform =
            stage.and_then(|stage| stage.from?.platform.as_ref().map(|platform| platform.value.clone()));
        self
    }

    pub(crate) fn is_final(&self, stage: usize) -> bool {
        self.chain.contains(&stage)
    }

    /// The steps of the final image.
    pub(crate) fn final_runs(&self) -> impl Iterator<Item = &Ran> {
        self.runs.iter().filter(|ran| self.is_final(ran.stage))
    }

    /// The line of Node, as far as the images or the commands say it.
    pub(crate) fn node(&self) -> Option<u32> {
        let installed = self.runs.iter().find_map(|ran| match ran.step {
            Step::Node(line) => line,
            _ => None,
        });
        node_major(&self.build.name).or_else(|| node_major(&self.run.name)).or(installed)
    }
}

/// Comments before the first instruction that a blank line separates from it.
fn top(file: &Dockerfile) -> Vec<String> {
    let Some(first) = file.instructions.first() else { return Vec::new() };
    let attached = first.comments.len();
    let before: Vec<_> =
        file.comments.iter().filter(|comment| comment.span.start < first.span.start).collect();
    let own = before.len().saturating_sub(attached);
    let text = |comment: &&kiln_dockerfile::Comment| comment.text.value.trim().to_owned();
    let is_directive = |line: &String| {
        line.starts_with("syntax=") || line.starts_with("check=") || line.starts_with("escape=")
    };
    before.iter().take(own).map(text).filter(|line| !line.is_empty() && !is_directive(line)).collect()
}

fn image(stage: &Stage<'_>, scope: &Scope, escape: char) -> String {
    let written = stage.from.map(|from| from.image.value.clone()).unwrap_or_default();
    expand(&written, scope, escape).map_or(written, |expansion| expansion.value)
}

fn chain(target: usize, states: &[State]) -> Vec<usize> {
    let parent = |&index: &usize| states.get(index).and_then(|state| state.parent);
    std::iter::successors(Some(target), parent).take(states.len()).collect()
}

/// `path` below `folder`, or from the root, without `.` and `..`.
pub(crate) fn absolute(folder: &str, path: &str) -> String {
    let joined = if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}
