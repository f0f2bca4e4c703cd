use crate::shell::SimpleCommand;
use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::{Command, Form};

pub(super) static RULE: Rule = Rule {
    id: "DF035",
    slug: "shell_form",
    title: "The app runs below a shell that keeps its signals",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::Unsafe,
    aliases: &["DL3025", "JSONArgsRecommended"],
    page: include_str!("../../tests/rules/DF035.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for stage in subject.model.final_chain() {
        for step in &stage.steps {
            let (Command::Cmd(form) | Command::Entrypoint(form)) = &step.instruction.command else {
                continue;
            };
            let Form::Shell(line) = form else { continue };
            // A shell that was chosen is meant; without a shell, and for arrays gone wrong, there are rules of their own.
            let is_elsewhere = line.value.trim().starts_with('[') || stage.has_shell() == Some(false);
            if step.before.shell.is_some() || is_elsewhere || is_dead(stage, step) {
                continue;
            }
            let Some(script) = &step.script else { continue };
            let last = script.commands.last();
            // What npm does with signals is worse, and has a rule of its own with the same cure.
            let first = script.commands.first().map_or("", SimpleCommand::program);
            if stage.index == subject.model.target.unwrap_or_default()
                && matches!(first, "npm" | "npx" | "yarn" | "pnpm")
            {
                continue;
            }
            if last.is_some_and(|last| last.words.first().is_some_and(|word| word.value == "exec")) {
                continue;
            }
            let name = step.instruction.name();
            let finding = sink.at(
                step.instruction.head,
                format!("{name} without an array runs below `/bin/sh -c`, which passes no signal on"),
            );
            finding.help(format!("write {name} [\"program\", \"argument\"]"));
            if let ([only], true) = (script.commands.as_slice(), script.is_known) {
                if let Some(array) = array(only) {
                    finding.not_safe(format!("write {name} {array}"), vec![Edit::replace(line.span, array)]);
                } else if only.redirects.is_empty() && only.env.is_empty() {
                    finding.not_safe("start it with `exec`", vec![Edit::insert(line.span.start, "exec ")]);
                }
            }
        }
    }
}

/// A later one of the same kind in the stage takes its place.
fn is_dead(stage: &crate::model::StageModel<'_>, step: &crate::model::Step<'_>) -> bool {
    let last = stage.steps.iter().rfind(|other| other.instruction.name() == step.instruction.name());
    last.is_some_and(|last| last.instruction.span != step.instruction.span)
}

/// The words as an array, where a shell would change none of them.
fn array(command: &SimpleCommand) -> Option<String> {
    let is_plain = command.env.is_empty()
        && command.redirects.is_empty()
        && command.depth == 0
        && command.words.iter().all(|word| {
            word.is_literal && !word.value.contains(['"', '\\']) && !word.value.chars().any(char::is_control)
        });
    let words: Vec<String> = command.words.iter().map(|word| format!("\"{}\"", word.value)).collect();
    is_plain.then(|| format!("[{}]", words.join(", ")))
}
