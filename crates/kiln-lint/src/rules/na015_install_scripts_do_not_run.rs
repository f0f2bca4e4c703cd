use kiln_node::native;

use crate::facts::line;
use crate::model::{Action, package_command};
use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "NA015",
    slug: "install_scripts_do_not_run",
    title: "Packages with native code are installed without their scripts",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::Unsafe,
    aliases: &[],
    page: include_str!("../../tests/rules/NA015.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let Some(context) = subject.context else { return };
    let Some(lock) = &context.lock else { return };
    let mut names: Vec<&str> = lock
        .packages
        .iter()
        .filter(|package| package.is_dev != Some(true))
        .filter(|package| match native(&package.name) {
            Some(native) => native.needs_script(&package.version),
            None => false,
        })
        .map(|package| package.name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return;
    }
    for stage in subject.model.reachable() {
        let npm = stage.base.and_then(|base| base.npm).or_else(|| Some(line(stage.node_major()?)?.npm));
        let commands: Vec<_> = stage
            .steps
            .iter()
            .flat_map(|step| {
                step.commands().iter().filter_map(move |command| Some((step, package_command(command)?)))
            })
            .collect();
        for (at, (step, package)) in
            commands.iter().enumerate().filter(|(_, (_, package))| package.is_install())
        {
            let is_rebuilt = commands
                .get(at..)
                .unwrap_or_default()
                .iter()
                .any(|(_, later)| later.action == Action::Rebuild);
            let is_ignored = package.command.has_flag(&["--ignore-scripts"]);
            let newer = commands.get(..at).unwrap_or_default().iter().any(|(_, before)| {
                before.action == Action::Global
                    && before.packages().iter().any(|word| word.value.starts_with("npm@12"))
            });
            let is_blocked = package.program == "npm"
                && (newer || npm.is_some_and(|npm| npm >= 12))
                && !context.allows_scripts;
            let why = match (is_ignored, is_blocked) {
                _ if is_rebuilt => continue,
                (true, _) => "`--ignore-scripts` leaves out",
                (false, true) => "npm 12 does not run, and does not fail for,",
                _ => continue,
            };
            let list = names.join(", ");
            let finding = sink.at(
                step.command(package.command),
                format!("{why} the install scripts that {list} cannot work without"),
            );
            finding.help(format!(
                "add `npm rebuild {}` after it, or list them under allowScripts in package.json",
                names.join(" ")
            ));
            if package.program == "npm" && step.can_edit(package.command) {
                let text = format!(" && npm rebuild {}", names.join(" "));
                finding.not_safe(
                    "run their scripts",
                    vec![Edit::insert(step.command(package.command).end, text)],
                );
            }
        }
    }
}
