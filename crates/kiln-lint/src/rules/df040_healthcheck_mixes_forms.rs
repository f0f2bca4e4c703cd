use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::{Command, Form, Healthcheck, parse};

pub(super) static RULE: Rule = Rule {
    id: "DF040",
    slug: "healthcheck_mixes_forms",
    title: "The health check mixes an array and a line of the shell",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &[],
    page: include_str!("../../tests/rules/DF040.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for (_, step) in subject.model.steps() {
        let Command::Healthcheck(Healthcheck::Command(check)) = &step.instruction.command else { continue };
        let Form::Shell(line) = &check.form else { continue };
        let text = line.value.trim();
        if !text.starts_with("[\"") && !text.starts_with("['") && !text.starts_with("[ \"") {
            continue;
        }
        let finding = sink.at(line.span, "this is no JSON, so a shell gets it, brackets and all");
        finding.help("write an array and nothing after it, or a line of the shell without brackets");
        let array = text.find(']').map(|end| &text[..=end]).filter(|array| {
            // The array that stands at its start, if it is one.
            let file = parse(&format!("FROM scratch\nCMD {array}"));
            file.instructions.get(1).is_some_and(|cmd| matches!(&cmd.command, Command::Cmd(Form::Exec(_))))
        });
        if let Some(array) = array {
            finding.safe(format!("write {array}"), vec![Edit::replace(line.span, array)]);
        }
    }
}
