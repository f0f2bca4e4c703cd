use crate::model::package_command;
use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::{Command, Ignore, Wildcard};

pub(super) static RULE: Rule = Rule {
    id: "NA019",
    slug: "workspace_not_copied",
    title: "The packages of the workspace are not there when packages are installed",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &[],
    page: include_str!("../../tests/rules/NA019.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let Some(context) = subject.context.filter(|context| !context.workspaces.is_empty()) else { return };
    for stage in subject.model.reachable() {
        for (at, step) in stage.steps.iter().enumerate() {
            let Some(command) = step
                .commands()
                .iter()
                .find(|command| package_command(command).is_some_and(|package| package.is_install()))
            else {
                continue;
            };
            let before = stage.steps.get(..at).unwrap_or_default();
            let missing: Vec<&String> = context
                .workspaces
                .iter()
                .filter(|folder| !before.iter().any(|step| holds(step, folder)))
                .collect();
            let has_bind = matches!(&step.instruction.command, Command::Run(run) if run.mounts.iter().any(|mount| mount.raw.value.contains("type=bind")));
            if missing.is_empty() || stage.parent.is_some() || has_bind {
                break;
            }
            let shown: Vec<&str> = missing.iter().take(3).map(|folder| folder.as_str()).collect();
            let more =
                if missing.len() > 3 { format!(" and {} more", missing.len() - 3) } else { String::new() };
            let lines: Vec<String> =
                missing.iter().map(|folder| format!("COPY {folder}/package.json {folder}/")).collect();
            sink.at(
                step.command(command),
                format!(
                    "package.json of {}{more} is not copied, so nothing of theirs is installed",
                    shown.join(", ")
                ),
            )
            .help("copy the package.json of every package of the workspace before")
            .safe(
                "copy them",
                vec![subject.insert_before(step.instruction, &lines.join(subject.line_end()))],
            );
            break;
        }
    }
}

/// Whether an instruction may bring the manifest of a folder.
fn holds(step: &crate::model::Step<'_>, folder: &str) -> bool {
    let (transfer, is_other, is_deep) = match &step.instruction.command {
        Command::Copy(copy) => (&copy.transfer, copy.from.is_some(), copy.parents),
        Command::Add(add) => (&add.transfer, false, false),
        _ => return false,
    };
    is_other
        || transfer.paths().any(|path| {
            let path = path.value.trim_start_matches("./").trim_end_matches('/');
            path.is_empty()
                || path == "."
                || path == folder
                || path.strip_suffix("/package.json").is_some_and(|of| names(of, folder, is_deep))
                || folder.starts_with(&format!("{path}/"))
                || (path.contains('*')
                    && names(path.split("/package").next().unwrap_or(path), folder, is_deep))
        })
}

/// Whether a source of COPY names the folder; with `--parents` it may have `**`.
fn names(source: &str, folder: &str, is_deep: bool) -> bool {
    if is_deep {
        return Ignore::from_patterns([source]).patterns.iter().any(|pattern| pattern.is_match(folder));
    }
    Wildcard::parse(source).is_ok_and(|source| source.is_match(folder))
}
