use crate::model::{Action, Step, package_command};
use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::{Command, Wildcard};
use kiln_node::{LockKind, Manager};

pub(super) static RULE: Rule = Rule {
    id: "NA011",
    slug: "lock_not_enforced",
    title: "The lock file is not enforced",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &[],
    page: include_str!("../../tests/rules/NA011.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for stage in subject.model.reachable() {
        for (at, step) in stage.steps.iter().enumerate() {
            for command in step.commands() {
                let Some(package) = package_command(command) else { continue };
                let Some(manager) = package.manager() else { continue };
                if package.action != (Action::Install { is_frozen: false }) {
                    continue;
                }
                let known = subject.context.is_some_and(|context| context.has_lock(manager));
                let copied = is_copied(stage.steps.get(..at).unwrap_or_default(), manager);
                if !known && !copied.1 {
                    continue;
                }
                let file = lock_names(manager).first().copied().unwrap_or_default();
                let span = step.command(command);
                let finding = sink.at(span, format!("it installs what fits today, and not what {file} says"));
                if !copied.0 {
                    finding.help(format!("copy {file} before it, then install from it"));
                    continue;
                }
                let is_modern_yarn =
                    subject.context.and_then(|context| context.package.as_ref()).is_some_and(|package| {
                        package
                            .package_manager
                            .as_deref()
                            .is_some_and(|pin| pin.starts_with("yarn@") && !pin.starts_with("yarn@1"))
                    });
                let flag = if is_modern_yarn && manager == Manager::Yarn {
                    "--immutable"
                } else {
                    "--frozen-lockfile"
                };
                let (title, edit) = match (manager, package.verb) {
                    (Manager::Npm, Some(verb)) => ("npm ci".to_owned(), Edit::replace(step.word(verb), "ci")),
                    (_, Some(verb)) => {
                        (flag.to_owned(), Edit::insert(step.word(verb).end, format!(" {flag}")))
                    }
                    (_, None) => (flag.to_owned(), Edit::insert(span.end, format!(" install {flag}"))),
                };
                finding.help(format!("write `{title}`: it fails when the lock file does not fit"));
                if step.can_edit(command) {
                    finding.safe(format!("write `{title}`"), vec![edit]);
                }
            }
        }
    }
}

fn lock_names(manager: Manager) -> Vec<&'static str> {
    LockKind::ALL
        .into_iter()
        .rev()
        .filter(|kind| kind.manager() == manager)
        .map(LockKind::file_name)
        .collect()
}

/// Whether the lock file was copied before, perhaps; and whether it is named.
fn is_copied(steps: &[Step<'_>], manager: Manager) -> (bool, bool) {
    let names = lock_names(manager);
    let mut found = (steps.is_empty(), false);
    for step in steps {
        match &step.instruction.command {
            Command::Copy(copy) => {
                for path in copy.transfer.paths() {
                    let last = path.value.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
                    let is_named = names.iter().any(|name| last.trim_end_matches(['*', '?']) == *name);
                    let is_any = matches!(last, "." | "" | "*" | "package*.json" | "*.json" | "package*")
                        || Wildcard::parse(last)
                            .is_ok_and(|source| names.iter().any(|name| source.is_match(name)));
                    found.0 |= is_named || is_any || copy.from.is_some();
                    found.1 |= is_named;
                }
            }
            Command::Run(run) if run.mounts.iter().any(|mount| mount.raw.value.contains("lock")) => {
                found.0 = true;
            }
            _ => {}
        }
    }
    found
}
