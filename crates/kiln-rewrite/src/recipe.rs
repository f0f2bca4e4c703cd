//! What the old file does, stage by stage.

use kiln_dockerfile::{
    Command, Copy, Dockerfile, Form, Healthcheck, Instruction, Reference, RunInput, Scope, Source, Stage,
    expand,
};
use kiln_lint::facts::{Base, ImageName, base_of, node_major};

use crate::commands::{Step, steps};
use crate::kept::{Kept, Kind, comments, keep};
use crate::rewrite::Obstacle;
use crate::secrets::is_secret;

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
    /// Reads what `file` does for its last stage.
    pub(crate) fn read(file: &Dockerfile) -> Self {
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
            let mut reader =
                Reader { file, recipe: &mut recipe, state: &mut states[stage.index], stage, stages: &stages };
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

#[derive(Clone)]
struct State {
    scope: Scope,
    workdir: String,
    image: Image,
    parent: Option<usize>,
}

impl State {
    fn new(stage: &Stage<'_>, name: &str, parent: &Reference, above: &[Self], scope: &Scope) -> Self {
        let image = ImageName::parse(name);
        let base = base_of(&image);
        let workdir = base.and_then(|base| base.workdir.clone()).unwrap_or_else(|| "/".to_owned());
        let written = stage.from.map(|from| from.image.value.clone()).unwrap_or_default();
        let parent = match parent {
            Reference::Stage(index) => Some(*index).filter(|index| *index < above.len()),
            _ => None,
        };
        Self { scope: scope.stage([]), workdir, image: Image { written, name: image, base }, parent }
    }
}

struct Reader<'a> {
    file: &'a Dockerfile,
    recipe: &'a mut Recipe,
    state: &'a mut State,
    stage: &'a Stage<'a>,
    stages: &'a kiln_dockerfile::Stages<'a>,
}

impl Reader<'_> {
    fn read(&mut self, instruction: &Instruction) {
        let is_final = self.recipe.is_final(self.stage.index);
        self.secrets(instruction);
        self.said(instruction, is_final);
        match &instruction.command {
            Command::Arg(args) => drop(self.state.scope.declare(args, self.file.escape)),
            Command::Env(pairs) => {
                for (name, value) in &pairs.pairs {
                    let value = self.expand(&value.value);
                    if name.value == "NODE_ENV" && is_final {
                        self.recipe.node_env = Some(value.clone());
                    }
                    self.state.scope.set(&name.value, value);
                }
            }
            Command::Workdir(folder) => {
                self.state.workdir = absolute(&self.state.workdir, &self.expand(&folder.value));
            }
            Command::User(user) if is_final => self.recipe.user = Some(self.expand(&user.value)),
            Command::Run(run) => self.run(instruction, &run.input(&instruction.heredocs)),
            Command::Copy(copy) => self.copy(instruction, copy),
            Command::Add(add) => self.add(instruction, add),
            Command::Cmd(form) if is_final => {
                self.recipe.cmd = Some(set(self.file, instruction, form.clone()));
            }
            Command::Entrypoint(form) if is_final => {
                self.recipe.entrypoint = Some(set(self.file, instruction, form.clone()));
                // A new entrypoint resets the command of what the stage inherits.
                self.recipe.cmd = None;
            }
            Command::Healthcheck(check) if is_final => {
                self.recipe.health = Some(set(self.file, instruction, check.clone()));
            }
            Command::Volume(folders) if is_final => {
                for folder in folders {
                    let folder = absolute(&self.state.workdir, &self.expand(&folder.value));
                    self.recipe.volumes.push(folder);
                }
            }
            Command::Onbuild(_) => self.obstacle(instruction, "it is a base for other builds (ONBUILD)"),
            Command::Shell(words)
                if words.iter().any(|word| word.value.contains("powershell") || word.value == "cmd") =>
            {
                self.obstacle(instruction, "it builds for Windows");
            }
            _ => {}
        }
        if let Some(kept) = keep(self.file, instruction) {
            let list = if is_final { &mut self.recipe.kept } else { &mut self.recipe.build_kept };
            let is_new = !list.iter().any(|other| other.text == kept.text);
            if is_new && (is_final || matches!(kept.kind, Kind::Arg | Kind::Env)) {
                list.push(kept);
            }
        }
    }

    /// Keeps the comments of what is written anew.
    fn said(&mut self, instruction: &Instruction, is_final: bool) {
        let said = &mut self.recipe.said;
        let list = match &instruction.command {
            Command::Workdir(_) if is_final => &mut said.workdir,
            Command::User(_) if is_final => &mut said.user,
            Command::Copy(copy) if copy.from.is_none() => {
                let is_manifest = |path: &str| {
                    ["package", "yarn.lock", "pnpm-", ".npmrc", ".yarn"]
                        .iter()
                        .any(|start| path.trim_start_matches("./").starts_with(start))
                };
                let is_install = copy.transfer.paths().all(|path| is_manifest(&path.value));
                let is_whole = copy.transfer.paths().any(|path| matches!(path.value.as_str(), "." | "./"));
                match (is_install, is_whole) {
                    (true, _) => &mut said.install,
                    (false, true) => &mut said.copy,
                    _ => return,
                }
            }
            _ => return,
        };
        for comment in comments(instruction) {
            if !list.contains(&comment) {
                list.push(comment);
            }
        }
    }

    fn expand(&self, text: &str) -> String {
        expand(text, &self.state.scope, self.file.escape)
            .map_or_else(|_| text.to_owned(), |expansion| expansion.value)
    }

    fn obstacle(&mut self, instruction: &Instruction, why: &str) {
        self.recipe.obstacles.push(Obstacle::at(instruction.line, why));
    }

    fn secrets(&mut self, instruction: &Instruction) {
        let line = instruction.line;
        let (names, is_arg): (Vec<&str>, bool) = match &instruction.command {
            Command::Arg(args) => (args.iter().map(|arg| arg.name.as_str()).collect(), true),
            Command::Env(pairs) => (pairs.pairs.iter().map(|(name, _)| name.as_str()).collect(), false),
            _ => return,
        };
        for name in names.into_iter().filter(|name| is_secret(name)) {
            match self.recipe.secrets.iter_mut().find(|secret| secret.name == name) {
                // `ARG TOKEN` and then `ENV TOKEN=$TOKEN`: it comes from outside.
                Some(secret) => secret.is_arg |= is_arg,
                None => self.recipe.secrets.push(Secret { name: name.to_owned(), line, is_arg }),
            }
        }
    }

    fn run(&mut self, instruction: &Instruction, input: &RunInput) {
        let text = match input {
            RunInput::Exec(words) => words.join(" "),
            RunInput::Shell(text) => text.clone(),
            RunInput::Script { content, .. } => content.clone(),
        };
        let is_heredoc = !instruction.heredocs.is_empty();
        let found = steps(&text);
        let meaningful = found.iter().filter(|step| !matches!(step, Step::Nothing)).count();
        let is_whole = meaningful == 1 && (found.len() == 1 || is_heredoc);
        let mut workdir = self.state.workdir.clone();
        let mut above = comments(instruction);
        // A script of builds alone stays a script.
        let all_build = meaningful > 1
            && found.iter().all(|step| matches!(step, Step::Build(_) | Step::Nothing | Step::Enter(_)));
        let verbatim = || Some(self.file.text_of(instruction.span).to_owned());
        if all_build {
            let whole = verbatim();
            let step = Step::Build(text);
            let (line, stage) = (instruction.line, self.stage.index);
            self.recipe.runs.push(Ran { step, line, stage, workdir, comments: above, whole });
            return;
        }
        if found.iter().any(|step| matches!(step, Step::Install { .. })) {
            for comment in std::mem::take(&mut above) {
                if !self.recipe.said.install.contains(&comment) {
                    self.recipe.said.install.push(comment);
                }
            }
        }
        for step in found {
            if let Step::Enter(folder) = &step {
                workdir = absolute(&workdir, folder);
                continue;
            }
            if step == Step::Nothing {
                continue;
            }
            let whole = is_whole.then(verbatim).flatten();
            let (line, stage) = (instruction.line, self.stage.index);
            let comments = std::mem::take(&mut above);
            self.recipe.runs.push(Ran { step, line, stage, workdir: workdir.clone(), comments, whole });
        }
    }

    fn copy(&mut self, instruction: &Instruction, copy: &Copy) {
        let from = copy.from.as_ref().and_then(|from| self.stages.resolve_copy(&self.expand(&from.value)));
        let sources = copy.transfer.paths().map(|path| self.expand(&path.value)).collect();
        let has_heredoc = copy.transfer.sources.iter().any(|source| matches!(source, Source::Heredoc(_)));
        let is_plain = !has_heredoc && !copy.parents && copy.transfer.exclude.is_empty();
        self.copied(instruction, from, sources, &copy.transfer, is_plain);
    }

    fn add(&mut self, instruction: &Instruction, add: &kiln_dockerfile::Add) {
        let sources: Vec<String> = add.transfer.paths().map(|path| self.expand(&path.value)).collect();
        let is_foreign = sources.iter().any(|source| {
            source.contains("://") || [".gz", ".tgz", ".xz"].iter().any(|end| source.ends_with(end))
        });
        if is_foreign && self.recipe.is_final(self.stage.index) {
            self.obstacle(instruction, "it adds an archive or an address to the final image");
        }
        self.copied(instruction, None, sources, &add.transfer, !is_foreign);
    }

    fn copied(
        &mut self,
        instruction: &Instruction,
        from: Option<Reference>,
        sources: Vec<String>,
        transfer: &kiln_dockerfile::Transfer,
        is_plain: bool,
    ) {
        let written = self.expand(&transfer.dest.value);
        let is_folder = written.ends_with('/') || written == "." || written == ".." || sources.len() > 1;
        self.recipe.copies.push(Copied {
            from,
            sources,
            dest: absolute(&self.state.workdir, &written),
            is_folder,
            line: instruction.line,
            stage: self.stage.index,
            comments: comments(instruction),
            text: self.file.text_of(instruction.span).to_owned(),
            is_plain,
        });
    }
}

fn set<T>(file: &Dockerfile, instruction: &Instruction, value: T) -> Set<T> {
    let flags = instruction.flags.iter().map(|flag| file.text_of(flag.span).to_owned()).collect();
    Set { value, line: instruction.line, comments: comments(instruction), flags }
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
