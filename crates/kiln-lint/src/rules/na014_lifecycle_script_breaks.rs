use crate::model::package_command;
use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "NA014",
    slug: "lifecycle_script_breaks",
    title: "A script that npm runs by itself cannot work",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::Unsafe,
    aliases: &[],
    page: include_str!("../../tests/rules/NA014.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let Some(context) = subject.context else { return };
    let Some(package) = context.package.as_ref() else { return };
    for stage in subject.model.reachable() {
        for (at, step) in stage.steps.iter().enumerate() {
            for command in step.commands() {
                let Some(found) = package_command(command).filter(crate::model::PackageCommand::is_install)
                else {
                    continue;
                };
                if command.has_flag(&["--ignore-scripts"]) {
                    continue;
                }
                let is_production = found.is_production()
                    || step.before.env.get("NODE_ENV").is_some_and(|env| env.value == "production");
                for name in ["preinstall", "install", "postinstall", "prepare"] {
                    let Some(script) = package.scripts.get(name) else { continue };
                    let field = format!("scripts.{name}");
                    let is_deleted =
                        stage.steps.iter().take(at + 1).flat_map(super::super::model::Step::commands).any(
                            |command| {
                                command.args().starts_with(&["pkg", "delete"])
                                    && command.args().contains(&field.as_str())
                            },
                        );
                    if is_deleted {
                        continue;
                    }
                    let tool = crate::facts::development_tool(script, package).filter(|_| is_production);
                    let message = if let Some(tool) = tool {
                        format!("the script `{name}` runs {tool}, which is not installed for production")
                    } else if let Some(file) = missing_file(script, stage.steps.get(..at).unwrap_or_default())
                    {
                        format!("the script `{name}` runs {file}, which is not copied yet")
                    } else {
                        continue;
                    };
                    let finding = sink.at(step.command(command), message);
                    finding.help(format!("take the script away for the image (`npm pkg delete scripts.{name}`), or copy what it needs before"));
                    if found.program == "npm" && step.can_edit(command) && tool.is_some() {
                        let edit = Edit::insert(
                            step.command(command).start,
                            format!("npm pkg delete scripts.{name} && "),
                        );
                        finding.not_safe(format!("delete the script `{name}` in the image"), vec![edit]);
                    }
                }
            }
        }
    }
}

/// The file of the project that a script runs, where nothing that was copied can hold it.
fn missing_file(script: &str, steps: &[crate::model::Step<'_>]) -> Option<String> {
    let words: Vec<&str> = script.split_whitespace().collect();
    let file = match words.as_slice() {
        ["node" | "sh" | "bash", file, ..] => file,
        [file, ..] if file.starts_with("./") => file,
        _ => return None,
    };
    if file.starts_with('-') || !file.contains(['.', '/']) {
        return None;
    }
    let file = file.trim_start_matches("./");
    let first = file.split('/').next().unwrap_or(file);
    let may_hold = steps.iter().any(|step| match &step.instruction.command {
        Command::Copy(copy) => {
            copy.from.is_some() || copy.transfer.paths().any(|path| holds(&path.value, first, file))
        }
        Command::Add(add) => add.transfer.paths().any(|path| holds(&path.value, first, file)),
        _ => false,
    });
    (!may_hold).then(|| file.to_owned())
}

fn holds(source: &str, first: &str, file: &str) -> bool {
    let source = source.trim_start_matches("./").trim_end_matches('/');
    source.is_empty() || source == "." || source.contains('*') || source == first || file.starts_with(source)
}
