use crate::facts::{is_npm_command, npm_commands};
use crate::model::package_command;
use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_finding::closest;

pub(super) static RULE: Rule = Rule {
    id: "NA016",
    slug: "unknown_npm_command",
    title: "npm has no such command",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &[],
    page: include_str!("../../tests/rules/NA016.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for (_, step, command) in subject.model.commands() {
        if command.program() != "npm" {
            continue;
        }
        let Some(verb) = package_command(command).and_then(|package| package.verb) else { continue };
        if !verb.is_literal || is_npm_command(&verb.value) {
            continue;
        }
        let finding = sink.at(step.word(verb), format!("npm has no command `{}`", verb.value));
        let next = command.operands().nth(1);
        if let Some(next) = next.filter(|next| verb.value == "clean" && next.value == "cache") {
            finding.help("write `npm cache clean`");
            if step.can_edit(command) {
                let span = step.word(verb).to(step.word(next));
                finding.safe("write `npm cache clean`", vec![Edit::replace(span, "cache clean")]);
            }
        } else if subject.context.is_some_and(|context| context.script(&verb.value).is_some()) {
            finding.help(format!("scripts need `run`: npm run {}", verb.value));
        } else if let Some(guess) = closest(&verb.value, npm_commands()) {
            finding.help(format!("did you mean `npm {guess}`?"));
        }
    }
}
