use crate::model::{Action, package_command};
use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "NA025",
    slug: "global_tool_without_version",
    title: "A program is installed without a version",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::None,
    aliases: &["DL3016"],
    page: include_str!("../../tests/rules/NA025.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for (_, step, command) in subject.model.commands() {
        let Some(package) = package_command(command) else { continue };
        let is_npx = package.action == Action::Execute;
        if !is_npx && package.action != Action::Global {
            continue;
        }
        let words = package.packages();
        let checked = if is_npx { words.get(..1.min(words.len())) } else { Some(words.as_slice()) };
        for word in checked.unwrap_or_default() {
            let name = word.value.as_str();
            let (bare, version) = match name.get(1..).and_then(|rest| rest.find('@')) {
                Some(at) => (&name[..=at], name.get(at + 2..).unwrap_or_default()),
                None => (name, ""),
            };
            // Variables, paths and addresses have a version of their own.
            if !word.is_literal
                || name.starts_with(['.', '/'])
                || name.contains("://")
                || name.contains(".tgz")
            {
                continue;
            }
            // `npx` runs what the project depends on, if it does.
            let is_own = |context: &crate::Context| {
                context.package.as_ref().is_none_or(|package| {
                    package.dependencies.contains_key(bare)
                        || package.dev_dependencies.contains_key(bare)
                        || crate::facts::tool_is_own(bare, package)
                })
            };
            if is_npx && subject.context.is_none_or(is_own) {
                continue;
            }
            let is_exact = version.starts_with(|char: char| char.is_ascii_digit());
            if !is_exact {
                sink.at(step.word(word), format!("`{name}` is another version with every build"))
                    .help(format!("write `{bare}@` and an exact version"));
            }
        }
    }
}
