use crate::model::{Step, package_command};
use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;
use kiln_node::Manager;

pub(super) static RULE: Rule = Rule {
    id: "NA026",
    slug: "sources_before_install",
    title: "Sources are copied before packages are installed",
    level: Level::Info,
    asked: Asked::Always,
    repair: Repair::Unsafe,
    aliases: &[],
    page: include_str!("../../tests/rules/NA026.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for stage in subject.model.reachable() {
        let is_install = |step: &&Step<'_>| {
            step.commands()
                .iter()
                .any(|command| package_command(command).is_some_and(|package| package.is_install()))
        };
        let Some(install) = stage.steps.iter().find(is_install) else { continue };
        let copies_all = |step: &&Step<'_>| match &step.instruction.command {
            Command::Copy(copy) => {
                copy.from.is_none()
                    && copy.transfer.paths().any(|path| matches!(path.value.as_str(), "." | "./" | "*"))
            }
            _ => false,
        };
        let before = stage.steps.iter().take_while(|step| !std::ptr::eq(*step, install));
        let Some(copy) = before.into_iter().find(copies_all) else { continue };
        let finding =
            sink.at(copy.instruction.head, "every change of a source file installs all packages again");
        finding.label(install.instruction.head, "installed here");
        finding.help("copy package.json and the lock file, install, and copy the rest after that");
        let [only] = install.commands() else { continue };
        let Some(manager) = package_command(only).and_then(|package| package.manager()) else { continue };
        let is_workspace = subject.context.is_some_and(|context| !context.workspaces.is_empty());
        if install.is_array() || is_workspace || !install.instruction.heredocs.is_empty() {
            continue;
        }
        let files = match manager {
            Manager::Npm => "package*.json",
            Manager::Pnpm => "package.json pnpm-lock.yaml",
            Manager::Yarn => "package.json yarn.lock",
            Manager::Bun => "package.json bun.lock",
        };
        let lines =
            format!("COPY {files} ./{}{}", subject.line_end(), subject.text(install.instruction.span));
        let edits =
            vec![subject.insert_before(copy.instruction, &lines), subject.remove(install.instruction)];
        finding.not_safe("install before the sources are copied", edits);
    }
}
