use kiln_node::fetcher;

use crate::model::package_command;
use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "NA024",
    slug: "install_needs_network",
    title: "The install needs more of the network than the registry",
    level: Level::Info,
    asked: Asked::Named,
    repair: Repair::None,
    aliases: &[],
    page: include_str!("../../tests/rules/NA024.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let Some(context) = subject.context else { return };
    let Some(package) = &context.package else { return };
    let mut reasons: Vec<String> = package
        .dependencies
        .iter()
        .chain(&package.dev_dependencies)
        .filter(|(_, range)| {
            range.starts_with("git") || range.starts_with("http") || range.contains("github:")
        })
        .map(|(name, range)| format!("{name} comes from {range}"))
        .collect();
    if let Some(lock) = &context.lock {
        reasons.extend(
            lock.packages.iter().filter_map(|locked| {
                Some(format!("{} downloads {}", locked.name, fetcher(&locked.name)?.what))
            }),
        );
    }
    reasons.sort();
    reasons.dedup();
    if reasons.is_empty() {
        return;
    }
    for (_, step, command) in subject.model.commands() {
        if package_command(command).is_some_and(|package| package.is_install()) {
            sink.at(step.command(command), reasons.join("; "))
                .help("behind a firewall these need a mirror or a proxy of their own");
        }
    }
}
