use crate::model::package_command;
use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "NA027",
    slug: "cache_in_image",
    title: "The cache of the package manager stays in the image",
    level: Level::Info,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &["DL3060"],
    page: include_str!("../../tests/rules/NA027.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for stage in subject.model.final_chain().filter(|stage| stage.has_shell() != Some(false)) {
        for step in &stage.steps {
            let Command::Run(run) = &step.instruction.command else { continue };
            let Some(install) = step.commands().iter().find_map(|command| {
                package_command(command).filter(crate::model::PackageCommand::is_install)
            }) else {
                continue;
            };
            let cleans = step.commands().iter().any(|command| {
                let words: Vec<&str> = command.operands().map(|word| word.value.as_str()).collect();
                (words.first() == Some(&"cache") && words.contains(&"clean"))
                    || words.starts_with(&["store", "prune"])
                    || (command.program() == "rm"
                        && words.iter().any(|word| {
                            word.contains(".npm") || word.contains("cache") || word.contains("store")
                        }))
            });
            let has_mount = run.mounts.iter().any(|mount| mount.raw.value.contains("type=cache"));
            if cleans || has_mount {
                continue;
            }
            let finding = sink.at(
                step.command(install.command),
                format!("the cache of {} becomes part of the image", install.program),
            );
            let is_root = step.before.is_root(stage.base) == Some(true);
            let folder = match install.program {
                "npm" => "/root/.npm",
                "yarn" => "/usr/local/share/.cache/yarn",
                "pnpm" => "/root/.local/share/pnpm/store",
                _ => continue,
            };
            finding.help(format!("keep it outside: RUN --mount=type=cache,target={folder} …"));
            if is_root {
                let at = step.instruction.keyword.span.end;
                finding.safe(
                    "mount a cache",
                    vec![Edit::insert(at, format!(" --mount=type=cache,target={folder}"))],
                );
            }
        }
    }
}
