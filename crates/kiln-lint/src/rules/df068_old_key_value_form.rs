use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "DF068",
    slug: "old_key_value_form",
    title: "ENV or LABEL is written in the old form",
    level: Level::Info,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &["LegacyKeyValueFormat"],
    page: include_str!("../../tests/rules/DF068.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for (_, step) in subject.model.steps() {
        let (Command::Env(pairs) | Command::Label(pairs)) = &step.instruction.command else { continue };
        let Some((key, value)) = pairs.pairs.first().filter(|_| pairs.is_legacy) else { continue };
        let needs_quotes = value.value.contains([' ', '\t', '=']);
        let is_simple = !value.value.contains(['"', '\'', '\\', '`', '\n']);
        let text = if needs_quotes {
            format!("{}=\"{}\"", key.value, value.value)
        } else {
            format!("{}={}", key.value, value.value)
        };
        let finding = sink.at(step.instruction.head, "all of the rest of the line is the value");
        finding.help(format!("write {} {text}", step.instruction.name()));
        if is_simple {
            finding.safe("write it with `=`", vec![Edit::replace(key.span.to(value.span), text)]);
        }
    }
}
