use std::rc::Rc;

use kiln_dockerfile::{Command, Dockerfile, From, Instruction, Span};

use super::state::State;
use crate::facts::{Base, ImageName, Libc, glibc_of, node_major};
use crate::shell::{Script, SimpleCommand, Word};

/// A Dockerfile, followed.
pub struct Model<'a> {
    /// The file.
    pub file: &'a Dockerfile,
    /// Its stages, in order.
    pub stages: Vec<StageModel<'a>>,
    /// The stage that is built.
    pub target: Option<usize>,
    /// Stages that need themselves.
    pub cycles: Vec<Vec<usize>>,
    /// Variables of `FROM` lines and global `ARG`s that nothing sets: where, and the name.
    pub undefined: Vec<(Span, String)>,
}

/// A stage, followed.
pub struct StageModel<'a> {
    /// Its place, from 0.
    pub index: usize,
    /// Its name in lower case.
    pub name: Option<String>,
    /// Its `FROM`.
    pub instruction: &'a Instruction,
    /// What `FROM` says.
    pub from: Option<&'a From>,
    /// Its image, with variables replaced; `None` where one has no value.
    pub image: Option<String>,
    /// The stage it starts from.
    pub parent: Option<usize>,
    /// The image at the start of its chain of stages; `None` for `scratch` and for what is not known.
    pub root: Option<ImageName>,
    /// Its chain starts from nothing.
    pub is_scratch: bool,
    /// What is known of `root`.
    pub base: Option<&'static Base>,
    /// It is built.
    pub is_reachable: bool,
    /// Its layers are in the final image.
    pub is_final: bool,
    /// Its instructions after `FROM`.
    pub steps: Vec<Step<'a>>,
    /// How it ends.
    pub end: Rc<State>,
}

/// An instruction, followed.
pub struct Step<'a> {
    /// The instruction.
    pub instruction: &'a Instruction,
    /// What holds before it.
    pub before: Rc<State>,
    /// What a `RUN` runs, or the shell form of `CMD`, `ENTRYPOINT` or a health check.
    pub script: Option<Script>,
    /// Where the text of `script` is.
    pub(super) text: Text<'a>,
    /// Variables that nothing sets: where, and the name.
    pub undefined: Vec<(Span, String)>,
}

/// How places in a script become places in the file.
#[derive(Clone)]
pub(super) enum Text<'a> {
    /// The joined line.
    Joined(&'a str),
    /// A piece of the file, from here.
    Flat(usize),
    /// Words of an array.
    Array(Vec<Span>),
}

impl<'a> Model<'a> {
    /// The stage that is built.
    pub fn final_stage(&self) -> Option<&StageModel<'a>> {
        self.stages.get(self.target?)
    }

    /// The stages whose layers are in the final image, from the first.
    pub fn final_chain(&self) -> impl Iterator<Item = &StageModel<'a>> {
        self.stages.iter().filter(|stage| stage.is_final)
    }

    /// The stages that are built.
    pub fn reachable(&self) -> impl Iterator<Item = &StageModel<'a>> {
        self.stages.iter().filter(|stage| stage.is_reachable)
    }

    /// Every instruction of the stages that are built, with its stage.
    pub fn steps(&self) -> impl Iterator<Item = (&StageModel<'a>, &Step<'a>)> {
        self.reachable().flat_map(|stage| stage.steps.iter().map(move |step| (stage, step)))
    }

    /// Every command of every `RUN` of the stages that are built.
    pub fn commands(&self) -> impl Iterator<Item = (&StageModel<'a>, &Step<'a>, &SimpleCommand)> {
        self.steps()
            .flat_map(|(stage, step)| step.commands().iter().map(move |command| (stage, step, command)))
    }

    /// The stage that `COPY --from` of a step names.
    pub fn copied_from(&self, step: &Step<'_>) -> Option<&StageModel<'a>> {
        let Command::Copy(copy) = &step.instruction.command else { return None };
        let name = &copy.from.as_ref()?.value;
        let lower = name.to_lowercase();
        match name.parse::<usize>() {
            Ok(index) => self.stages.get(index),
            Err(_) => self.stages.iter().rfind(|stage| stage.name.as_deref() == Some(lower.as_str())),
        }
    }
}

impl StageModel<'_> {
    /// Whether commands have a shell; `None` where that is not known.
    pub fn has_shell(&self) -> Option<bool> {
        if self.end.has_foreign_files {
            return None;
        }
        match (self.is_scratch, self.base) {
            (true, _) => Some(false),
            (false, Some(base)) => Some(base.shell),
            (false, None) => None,
        }
    }

    /// The line of Node, as far as it is known.
    pub fn node_major(&self) -> Option<u32> {
        node_major(self.root.as_ref()?)
    }

    /// The C library.
    pub fn libc(&self) -> Libc {
        self.base.map_or(Libc::Unknown, |base| base.libc)
    }

    /// The version of the GNU C library.
    pub fn glibc(&self) -> Option<(u32, u32)> {
        glibc_of(self.root.as_ref()?)
    }

    /// What people call it: its name, or its number.
    pub fn label(&self) -> String {
        self.name.clone().map_or_else(|| format!("{}", self.index), |name| format!("`{name}`"))
    }

    /// The program and arguments that a container starts, as far as they are known.
    pub fn argv(&self) -> Option<Vec<String>> {
        let entrypoint = self.end.entrypoint_words(self.base)?;
        let mut argv = entrypoint;
        argv.extend(self.end.cmd_words(self.base)?);
        Some(argv)
    }
}

impl Step<'_> {
    /// The commands of a `RUN`.
    pub fn commands(&self) -> &[SimpleCommand] {
        match (&self.instruction.command, &self.script) {
            (Command::Run(_), Some(script)) => &script.commands,
            _ => &[],
        }
    }

    /// The words of a `RUN` in array form are not in a script.
    pub fn is_array(&self) -> bool {
        matches!(self.text, Text::Array(_))
    }

    /// Where a range of the script is in the file.
    pub fn place(&self, range: std::ops::Range<usize>) -> Span {
        match &self.text {
            Text::Joined(text) => self.instruction.place_in(text, range),
            Text::Flat(start) => Span::new(start + range.start, start + range.end),
            Text::Array(spans) => {
                let at = |index: usize| spans.get(index).copied().unwrap_or(self.instruction.head);
                at(range.start).to(at(range.end.max(1) - 1))
            }
        }
    }

    /// Where a word of the script is.
    pub fn word(&self, word: &Word) -> Span {
        self.place(word.range.clone())
    }

    /// Where a command of the script is.
    pub fn command(&self, command: &SimpleCommand) -> Span {
        self.place(command.range.clone())
    }

    /// Whether words of the command can be replaced one by one.
    pub fn can_edit(&self, command: &SimpleCommand) -> bool {
        !self.is_array() && !command.is_quoted
    }
}
