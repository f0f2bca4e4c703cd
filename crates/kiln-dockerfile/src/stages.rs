use std::collections::BTreeMap;

use crate::{Command, Dockerfile, From, Instruction, Problem, RunInput};

/// The stages of a file.
#[derive(Clone, Debug)]
pub struct Stages<'a> {
    /// The `ARG` instructions before the first `FROM`.
    pub globals: Vec<&'a Instruction>,
    /// The stages, in order.
    pub list: Vec<Stage<'a>>,
    /// The stages of each name, in order.
    named: BTreeMap<String, Vec<usize>>,
}

/// `FROM` and what follows it.
#[derive(Clone, Debug)]
pub struct Stage<'a> {
    /// Its place among the stages, from 0.
    pub index: usize,
    /// Its name in lower case.
    pub name: Option<String>,
    /// The `FROM` instruction.
    pub instruction: &'a Instruction,
    /// What `FROM` says; `None` where a builder refuses it.
    pub from: Option<&'a From>,
    /// What follows.
    pub instructions: Vec<&'a Instruction>,
}

/// What a name in `FROM`, `COPY --from` or `--mount=from=` stands for. Named contexts of the command line come first, and
/// are not known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// A stage, by index.
    Stage(usize),
    /// Nothing at all.
    Scratch,
    /// An image.
    Image(String),
}

impl Dockerfile {
    /// The stages and how they depend on each other.
    pub fn stages(&self) -> Stages<'_> {
        Stages::new(&self.instructions)
    }
}

impl<'a> Stages<'a> {
    pub(crate) fn new(instructions: &'a [Instruction]) -> Self {
        let mut stages = Self { globals: Vec::new(), list: Vec::new(), named: BTreeMap::new() };
        for instruction in instructions {
            let is_from = instruction.keyword.value.eq_ignore_ascii_case("FROM");
            match stages.list.last_mut() {
                _ if is_from => {
                    let from = match &instruction.command {
                        Command::From(from) => Some(from),
                        _ => None,
                    };
                    let name = from.and_then(|from| from.name.as_ref()).map(|name| name.value.to_lowercase());
                    let index = stages.list.len();
                    if let Some(name) = &name {
                        stages.named.entry(name.clone()).or_default().push(index);
                    }
                    stages.list.push(Stage { index, name, instruction, from, instructions: Vec::new() });
                }
                Some(stage) => stage.instructions.push(instruction),
                None => stages.globals.push(instruction),
            }
        }
        stages.globals.retain(|instruction| matches!(instruction.command, Command::Arg(_)));
        stages
    }

    /// What the image of the stage `at` is, once variables in it are replaced: only stages above it have names yet.
    pub fn resolve_from(&self, image: &str, at: usize) -> Reference {
        match self.last_named(image, at) {
            Some(index) => Reference::Stage(index),
            None if image == "scratch" => Reference::Scratch,
            None => Reference::Image(image.to_owned()),
        }
    }

    /// What `COPY --from` or `--mount=from=` names: a stage by number or by name, the last one of that name, or an
    /// image. `None` for the number of a stage that is not there.
    pub fn resolve_copy(&self, from: &str) -> Option<Reference> {
        if !from.is_empty() && from.bytes().all(|byte| byte.is_ascii_digit()) {
            let index = from.parse().ok().filter(|index| *index < self.list.len())?;
            return Some(Reference::Stage(index));
        }
        Some(match self.last_named(from, self.list.len()) {
            Some(index) => Reference::Stage(index),
            None if from == "scratch" => Reference::Scratch,
            None => Reference::Image(from.to_owned()),
        })
    }

    /// The last stage of a name, of those before `end`.
    fn last_named(&self, name: &str, end: usize) -> Option<usize> {
        let stages = self.named.get(&name.to_lowercase())?;
        stages[..stages.partition_point(|index| *index < end)].last().copied()
    }

    /// The stage that `--target` names, or the last one.
    pub fn target(&self, name: Option<&str>) -> Option<usize> {
        match name {
            None => self.list.len().checked_sub(1),
            Some(name) => match self.resolve_copy(name)? {
                Reference::Stage(index) => Some(index),
                _ => None,
            },
        }
    }

    /// The stages that a stage needs: its base, and what it copies and mounts from. `image` gives the image of a stage
    /// with variables replaced; where it gives `None`, the image is taken as it is written.
    pub fn needs(&self, index: usize, image: &dyn Fn(usize) -> Option<String>) -> Vec<usize> {
        let Some(stage) = self.list.get(index) else { return Vec::new() };
        let mut needs = Vec::new();
        let written = || stage.from.map(|from| from.image.value.clone());
        if let Some(image) = image(index).or_else(written) {
            needs.extend(self.resolve_from(&image, index).stage());
        }
        for instruction in &stage.instructions {
            for from in sources(instruction) {
                needs.extend(self.resolve_copy(from).and_then(|reference| reference.stage()));
            }
        }
        needs.sort_unstable();
        needs.dedup();
        needs
    }

    /// Which stages are built for `target`, by index.
    pub fn reachable(&self, target: usize, image: &dyn Fn(usize) -> Option<String>) -> Vec<bool> {
        let mut seen = vec![false; self.list.len()];
        let mut open = vec![target];
        while let Some(index) = open.pop() {
            if let Some(flag) = seen.get_mut(index).filter(|flag| !**flag) {
                *flag = true;
                open.extend(self.needs(index, image));
            }
        }
        seen
    }

    /// Stages that need themselves, each circle once, as the indexes along it.
    pub fn cycles(&self, image: &dyn Fn(usize) -> Option<String>) -> Vec<Vec<usize>> {
        let needs: Vec<Vec<usize>> = (0..self.list.len()).map(|index| self.needs(index, image)).collect();
        let mut state = vec![Visit::New; needs.len()];
        let mut cycles = Vec::new();
        for start in 0..needs.len() {
            // A path with, for each stage on it, how many of its needs were followed.
            let mut path = vec![(start, 0)];
            if state.get(start) != Some(&Visit::New) {
                continue;
            }
            while let Some((stage, followed)) = path.pop() {
                state[stage] = Visit::Open;
                let Some(&next) = needs[stage].get(followed) else {
                    state[stage] = Visit::Done;
                    continue;
                };
                path.push((stage, followed + 1));
                match state[next] {
                    Visit::New => path.push((next, 0)),
                    Visit::Open => {
                        let from = path.iter().position(|(stage, _)| *stage == next).unwrap_or_default();
                        cycles.push(path.iter().skip(from).map(|(stage, _)| *stage).collect());
                    }
                    Visit::Done => {}
                }
            }
        }
        cycles
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    New,
    Open,
    Done,
}

impl Reference {
    /// The stage, if it is one.
    pub fn stage(&self) -> Option<usize> {
        match self {
            Self::Stage(index) => Some(*index),
            _ => None,
        }
    }
}

/// The names of stages or images that an instruction takes files from.
fn sources(instruction: &Instruction) -> Vec<&str> {
    match &instruction.command {
        Command::Copy(copy) => copy.from.iter().map(|from| from.value.as_str()).collect(),
        Command::Run(run) => {
            let mounts = run.mounts.iter().filter_map(|mount| mount.mount.as_ref());
            mounts.filter_map(|mount| mount.from.as_deref()).collect()
        }
        _ => Vec::new(),
    }
}

/// Reports instructions before the first `FROM`, and a file without one.
pub(crate) fn check_order(file: &mut Dockerfile) {
    let first = file.instructions.iter().position(|instruction| instruction.name() == "FROM");
    let before = &file.instructions[..first.unwrap_or(file.instructions.len())];
    let stray = before.iter().filter(|instruction| !matches!(instruction.command, Command::Unknown));
    for instruction in stray.filter(|instruction| instruction.name() != "ARG") {
        let message = format!("{} before the first FROM; only ARG may stand there", instruction.name());
        file.problems.push(Problem::error("no-stage", instruction.keyword.span, message));
    }
    if let (None, Some(last)) = (first, file.instructions.last())
        && file.instructions.iter().all(|instruction| instruction.name() == "ARG")
    {
        file.problems.push(Problem::error("no-stage", last.span, "there is no FROM, so nothing to build"));
    }
}

impl Stage<'_> {
    /// What each `RUN` gives to the machine, in order, with heredocs put in place.
    pub fn run_inputs(&self) -> impl Iterator<Item = RunInput> {
        self.instructions.iter().filter_map(|instruction| match &instruction.command {
            Command::Run(run) => Some(run.input(&instruction.heredocs)),
            _ => None,
        })
    }
}
