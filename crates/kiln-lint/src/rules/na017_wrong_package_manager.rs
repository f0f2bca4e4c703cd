use crate::model::package_command;
use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "NA017",
    slug: "wrong_package_manager",
    title: "The project is for another package manager",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::None,
    aliases: &[],
    page: include_str!("../../tests/rules/NA017.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let Some(context) = subject.context else { return };
    let Some(wanted) = context.manager() else { return };
    let guard = context.script("preinstall").filter(|script| script.contains("only-allow"));
    for (_, step, command) in subject.model.commands() {
        let Some(package) = package_command(command).filter(crate::model::PackageCommand::is_install) else {
            continue;
        };
        let Some(used) = package.manager().filter(|used| *used != wanted && !context.has_lock(*used)) else {
            continue;
        };
        let message = format!(
            "the project is for {}, and {} knows nothing of its lock file",
            wanted.as_str(),
            used.as_str()
        );
        let finding = sink.at(step.command(command), message);
        finding.help(format!("install with {}", wanted.as_str()));
        if let Some(guard) = guard {
            finding
                .level(Level::Error)
                .help(format!("install with {}; `{guard}` makes this install fail", wanted.as_str()));
        }
    }
}
