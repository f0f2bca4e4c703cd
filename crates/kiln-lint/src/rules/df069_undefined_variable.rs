use std::collections::BTreeSet;

use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::{PLATFORM, Span};
use kiln_finding::closest;

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

/// Among how many names the one that was meant is looked for.
const GUESSES_MAX: usize = 100;

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let globals: BTreeSet<&str> = subject
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
        let scope = &step.before.scope;
        for (span, name) in step.undefined.iter().filter(|(_, name)| !scope.is_declared(name)) {
            let is_global = globals.contains(name.as_str());
            let why = if is_global {
                "an ARG before FROM counts for FROM only; the stage needs a line `ARG` of its own for"
            } else {
                "nothing sets"
            };
            report(sink, *span, name, scope.values().map(|(name, _)| name), why);
        }
    }
}

fn report<'n>(sink: &mut Sink<'_>, span: Span, name: &str, known: impl Iterator<Item = &'n str>, why: &str) {
    let finding = sink.at(span, format!("{why} ${name}, so it is empty"));
    if let Some(guess) = closest(name, known.take(GUESSES_MAX)) {
        finding.help(format!("did you mean ${guess}?"));
    }
}
