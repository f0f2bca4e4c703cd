//! Reads the instructions of one stage into the recipe.

use kiln_dockerfile::{
    Command, Copy, Dockerfile, Instruction, Reference, RunInput, Scope, Source, Stage, expand,
};
use kiln_lint::facts::{ImageName, base_of};

use crate::Recipe;
use crate::answer::Obstacle;
use crate::commands::{Step, branch, steps};
use crate::kept::{Kind, comments, keep};
use crate::recipe::{Copied, Image, Ran, Secret, Set, absolute};
use crate::secrets::is_secret;

#[derive(Clone)]
pub(crate) struct State {
    pub(crate) scope: Scope,
    pub(crate) workdir: String,
    pub(crate) image: Image,
    pub(crate) parent: Option<usize>,
}

impl State {
    pub(crate) fn new(
        stage: &Stage<'_>,
        name: &str,
        parent: &Reference,
        above: &[Self],
        scope: &Scope,
    ) -> Self {
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

pub(crate) struct Reader<'a> {
    pub(crate) file: &'a Dockerfile,
    pub(crate) recipe: &'a mut Recipe,
    pub(crate) state: &'a mut State,
    pub(crate) stage: &'a Stage<'a>,
    pub(crate) stages: &'a kiln_dockerfile::Stages<'a>,
    /// Whether a file lies in the folder of the app.
    pub(crate) has: &'a dyn Fn(&str) -> bool,
}

impl Reader<'_> {
    pub(crate) fn read(&mut self, instruction: &Instruction) {
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
        let chosen = branch(&text, self.has);
        let is_chosen = chosen.is_some();
        let text = chosen.unwrap_or(text);
        let found = steps(&text);
        let meaningful = found.iter().filter(|step| !matches!(step, Step::Nothing)).count();
        let is_whole = !is_chosen && meaningful == 1 && (found.len() == 1 || is_heredoc);
        let mut workdir = self.state.workdir.clone();
        let mut above = comments(instruction);
        // A script of builds alone stays a script.
        let all_build = !is_chosen
            && meaningful > 1
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
