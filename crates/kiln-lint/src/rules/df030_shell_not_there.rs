use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::{Command, Form};

pub(super) static RULE: Rule = Rule {
    id: "DF030",
    slug: "shell_not_there",
    title: "A shell is needed where there is none",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::Rewrite,
    aliases: &[],
    page: include_str!("../../tests/rules/DF030.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for stage in subject.model.reachable().filter(|stage| stage.has_shell() == Some(false)) {
        let image = if stage.is_scratch {
            "scratch"
        } else {
            stage.base.map_or("the base", |base| base.name.as_str())
        };
        for step in &stage.steps {
            if step.before.shell.is_some() {
                continue;
            }
            let (form, help) = match &step.instruction.command {
                Command::Run(run) => (&run.form, "run it in a stage before, and copy the result"),
                Command::Cmd(form) | Command::Entrypoint(form) if stage.is_final => {
                    (form, "write it as an array: [\"/path/of/program\", \"argument\"]")
                }
                _ => continue,
            };
            if matches!(form, Form::Shell(_)) && !form.is_empty() {
                sink.at(step.instruction.head, format!("this needs a shell, and {image} has none"))
                    .help(help);
            }
        }
    }
}
