use crate::{Asked, Level, Repair, Rule, Sink, Subject};
use kiln_dockerfile::{PLATFORM, Span, closest};

pub(super) static RULE: Rule = Rule {
    id: "DF069",
    slug: "undefined_variable",
    title: "A variable is used and never set",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::None,
    aliases: &["UndefinedVar", "UndefinedArgInFrom"],
    page: include_str!("../../tests/rules/DF069.md"),
    check,
};

fn check(subject: &Subject<'_>, sink: &mut Sink<'_>) {
    let globals: Vec<&str> = subject
        .file
        .stages()
        .globals
        .iter()
        .filter_map(|instruction| match &instruction.command {
            kiln_dockerfile::Command::Arg(args) => Some(args.iter().map(|arg| arg.name.value.as_str())),
            _ => None,
        })
        .flatten()
        .collect();
    for (span, name) in &subject.model.undefined {
        report(
            sink,
            *span,
            name,
            globals.iter().copied().chain(PLATFORM),
            "no ARG before the first FROM sets",
        );
    }
    for (_, step) in subject.model.steps() {
        let known: Vec<&str> = step.before.scope.values().keys().map(String::as_str).collect();
        let declared: Vec<&str> = step.before.scope.args().iter().map(|(name, _)| name.as_str()).collect();
        for (span, name) in &step.undefined {
            if declared.contains(&name.as_str()) {
                continue;
            }
            let is_global = globals.contains(&name.as_str());
            let why = if is_global {
                "an ARG before FROM counts for FROM only; the stage needs a line `ARG` of its own for"
            } else {
                "nothing sets"
            };
            report(sink, *span, name, known.iter().copied(), why);
        }
    }
}

fn report<'n>(sink: &mut Sink<'_>, span: Span, name: &str, known: impl Iterator<Item = &'n str>, why: &str) {
    let finding = sink.at(span, format!("{why} ${name}, so it is empty"));
    if let Some(guess) = closest(name, known) {
        finding.help(format!("did you mean ${guess}?"));
    }
}
