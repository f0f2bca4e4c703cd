use std::collections::BTreeMap;
use std::rc::Rc;

use kiln_dockerfile::{
    Command, Dockerfile, Form, Healthcheck, Instruction, Reference, Scope, Span, Spanned, Stages, expand,
};

use super::effects::follow;
use super::followed::{Model, StageModel, Step, Text};
use super::state::State;
use super::variables::expanded;

use crate::facts::{ImageName, base_of};
use crate::shell::{self, Script, SimpleCommand, Word};

/// Values of automatic arguments, so that names made of them can be looked at.
const AUTOMATIC: [(&str, &str); 11] = [
    ("BUILDPLATFORM", "linux/amd64"),
    ("BUILDOS", "linux"),
    ("BUILDOSVERSION", ""),
    ("BUILDARCH", "amd64"),
    ("BUILDVARIANT", ""),
    ("TARGETPLATFORM", "linux/amd64"),
    ("TARGETOS", "linux"),
    ("TARGETOSVERSION", ""),
    ("TARGETARCH", "amd64"),
    ("TARGETVARIANT", ""),
    ("TARGETSTAGE", "default"),
];

impl<'a> Model<'a> {
    /// Follows a file.
    pub fn new(file: &'a Dockerfile, target: Option<&str>) -> Self {
        model(file, target)
    }
}

fn model<'a>(file: &'a Dockerfile, target: Option<&str>) -> Model<'a> {
    let stages = file.stages();
    let automatic = AUTOMATIC.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut global = Scope::global(BTreeMap::new(), automatic);
    let mut undefined = Vec::new();
    for instruction in &stages.globals {
        if let Command::Arg(args) = &instruction.command {
            for default in args.iter().filter_map(|arg| arg.default.as_ref()) {
                missing(default, &global, file.escape, &mut undefined);
            }
            drop(global.declare(args, file.escape));
        }
    }
    let mut images = Vec::new();
    for stage in &stages.list {
        let image = stage.from.map(|from| &from.image);
        if let Some(image) = image {
            missing(image, &global, file.escape, &mut undefined);
        }
        images.push(image.and_then(|image| expanded(&image.value, &global, file.escape)));
    }
    // Declared without a value: a build must give one, which is nobody's mistake.
    undefined.retain(|(_, name)| !global.is_declared(name));
    let image = |index: usize| images.get(index).cloned().flatten();
    let target = stages.target(target).or_else(|| stages.target(None));
    let reachable = target.map(|target| stages.reachable(target, &image)).unwrap_or_default();
    let cycles = stages.cycles(&image);
    let mut model = Model { file, stages: Vec::new(), target, cycles, undefined };
    for index in 0..stages.list.len() {
        let is_reachable = reachable.get(index).copied().unwrap_or_default();
        let stage = stage(&stages, index, image(index), is_reachable, &global, &model);
        model.stages.push(stage);
    }
    let mut next = target;
    while let Some(stage) = next.and_then(|index| model.stages.get_mut(index)) {
        stage.is_final = true;
        next = stage.parent;
    }
    model
}

fn missing(word: &Spanned<String>, scope: &Scope, escape: char, list: &mut Vec<(Span, String)>) {
    if !word.value.contains('$') {
        return;
    }
    if let Ok(expansion) = expand(&word.value, scope, escape) {
        // A default, or a demand with a message, says that it is known to be missing.
        let is_plain = |name: &String| {
            let bare =
                word.value.contains(&format!("${name}")) || word.value.contains(&format!("${{{name}}}"));
            bare && !name.is_empty()
                && name.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_')
        };
        list.extend(expansion.unset.into_iter().filter(is_plain).map(|name| (word.span, name)));
    }
}

fn stage<'a>(
    stages: &Stages<'a>,
    index: usize,
    image: Option<String>,
    is_reachable: bool,
    global: &Scope,
    model: &Model<'a>,
) -> StageModel<'a> {
    let source = &stages.list[index];
    let reference = image.as_deref().map(|image| stages.resolve_from(image, index));
    let parent = reference.as_ref().and_then(Reference::stage);
    let parent_model = parent.and_then(|parent| model.stages.get(parent));
    let root = match (&reference, parent_model) {
        (_, Some(parent)) => parent.root.clone(),
        (Some(Reference::Image(image)), None) => Some(ImageName::parse(image)),
        _ => None,
    };
    let is_scratch = match parent_model {
        Some(parent) => parent.is_scratch,
        None => reference == Some(Reference::Scratch),
    };
    let base = root.as_ref().and_then(base_of);
    let mut state = parent_model.map_or_else(
        || {
            let path = (
                "PATH".to_owned(),
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
            );
            let mut env = vec![path];
            if base.is_some_and(|base| base.node_path.is_some()) {
                env.extend(
                    ["NODE_VERSION", "YARN_VERSION", "HOME"].map(|name| (name.to_owned(), String::new())),
                );
            }
            Rc::new(State {
                scope: global.stage(env),
                workdir: base.and_then(|base| base.workdir.clone()).unwrap_or_else(|| "/".to_owned()),
                has_workdir: base.is_some_and(|base| base.workdir.is_some()),
                has_unknown_env: base.is_none() && !is_scratch,
                ..State::default()
            })
        },
        |parent| Rc::clone(&parent.end),
    );
    let mut steps = Vec::new();
    for instruction in &source.instructions {
        let before = Rc::clone(&state);
        let step = step(instruction, before, model.file.escape);
        follow(Rc::make_mut(&mut state), &step, index, model.file.escape);
        steps.push(step);
    }
    StageModel {
        index,
        name: source.name.clone(),
        instruction: source.instruction,
        from: source.from,
        image,
        parent,
        root,
        is_scratch,
        base,
        is_reachable,
        is_final: false,
        steps,
        end: state,
    }
}

fn step(instruction: &Instruction, before: Rc<State>, escape: char) -> Step<'_> {
    let mut undefined = Vec::new();
    if !before.has_unknown_env {
        for word in expanding_words(instruction) {
            missing(word, &before.scope, escape, &mut undefined);
        }
    }
    let (script, text) = match &instruction.command {
        Command::Run(run) => match (&run.form, instruction.heredocs.as_slice()) {
            (Form::Shell(line), [only])
                if line.value.trim_start().starts_with("<<") && is_alone(&line.value) =>
            {
                if only.content.starts_with("#!")
                    && !only.content.starts_with("#!/bin/sh")
                    && !only.content.starts_with("#!/bin/bash")
                {
                    (None, Text::Flat(only.span.start))
                } else {
                    (Some(shell::parse(&only.content)), Text::Flat(only.span.start))
                }
            }
            (Form::Shell(line), _) => (Some(shell::parse(&line.value)), Text::Joined(&line.value)),
            (Form::Exec(words), _) => {
                (Some(array(words)), Text::Array(words.iter().map(|word| word.span).collect()))
            }
        },
        Command::Cmd(Form::Shell(line))
        | Command::Entrypoint(Form::Shell(line))
        | Command::Healthcheck(Healthcheck::Command(kiln_dockerfile::Check {
            form: Form::Shell(line),
            ..
        })) => (Some(shell::parse(&line.value)), Text::Joined(line.value.as_str())),
        _ => (None, Text::Flat(instruction.span.start)),
    };
    Step { instruction, before, script, text, undefined }
}

/// Whether a line is nothing but one word that announces a heredoc.
fn is_alone(line: &str) -> bool {
    !line.trim().contains([' ', '\t', '|', '>', ';', '&'])
}

/// The command of an array; ranges are places in the array.
fn array(words: &[Spanned<String>]) -> Script {
    let words: Vec<Word> = words
        .iter()
        .enumerate()
        .map(|(at, word)| Word { value: word.value.clone(), is_literal: true, range: at..at + 1 })
        .collect();
    let range = 0..words.len();
    let mut commands = vec![SimpleCommand { words, range, ..SimpleCommand::default() }];
    // `["sh", "-c", "…"]`
    let nested = commands
        .first()
        .filter(|command| matches!(command.program(), "sh" | "bash" | "ash"))
        .and_then(|command| {
            let at = command
                .words
                .iter()
                .position(|word| word.value.starts_with('-') && word.value.ends_with('c'))?;
            Some((at + 1, shell::parse(&command.words.get(at + 1)?.value)))
        });
    if let Some((at, script)) = nested {
        commands.extend(script.commands.into_iter().map(|mut command| {
            command.is_quoted = true;
            command.range = at..at + 1;
            command.words.iter_mut().for_each(|word| word.range = at..at + 1);
            command
        }));
    }
    Script { commands, is_known: true }
}

/// The words of an instruction in which variables are replaced.
fn expanding_words(instruction: &Instruction) -> Vec<&Spanned<String>> {
    match &instruction.command {
        Command::Env(pairs) | Command::Label(pairs) => {
            pairs.pairs.iter().flat_map(|(key, value)| [key, value]).collect()
        }
        Command::Arg(args) => args.iter().filter_map(|arg| arg.default.as_ref()).collect(),
        Command::Copy(copy) => transfer_words(&copy.transfer),
        Command::Add(add) => transfer_words(&add.transfer).into_iter().chain(&add.checksum).collect(),
        Command::Workdir(word) | Command::User(word) | Command::StopSignal(word) => vec![word],
        Command::Expose(words) | Command::Volume(words) => words.iter().collect(),
        _ => Vec::new(),
    }
}

fn transfer_words(transfer: &kiln_dockerfile::Transfer) -> Vec<&Spanned<String>> {
    transfer.paths().chain([&transfer.dest]).chain(&transfer.chown).chain(&transfer.chmod).collect()
}
