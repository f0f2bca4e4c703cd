use crate::model::package_command;
use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "NA056",
    slug: "manifest_left_out",
    title: ".dockerignore leaves out what the install needs",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::Rewrite,
    aliases: &[],
    page: include_str!("../../tests/rules/NA056.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let Some(context) = subject.context else { return };
    let names = ["package.json"].into_iter().chain(context.lock_kinds.iter().map(|kind| kind.file_name()));
    let Some(name) = names.into_iter().find(|name| context.is_ignored(name)) else { return };
    let install = subject
        .model
        .commands()
        .find(|(_, _, command)| package_command(command).is_some_and(|package| package.is_install()));
    if let Some((_, step, command)) = install {
        sink.at(
            step.command(command),
            format!("{name} is left out by .dockerignore, so this install does not see it"),
        )
        .help(format!("take the pattern for {name} out of .dockerignore"));
    }
}
