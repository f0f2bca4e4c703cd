use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::{Command, has_wildcard};
use kiln_finding::closest;

pub(super) static RULE: Rule = Rule {
    id: "DF053",
    slug: "copied_file_not_there",
    title: "A file that is copied is not there",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::None,
    aliases: &["CopyIgnoredFile"],
    page: include_str!("../../tests/rules/DF053.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let Some(context) = subject.context else { return };
    for (_, step) in subject.model.steps() {
        let transfer = match &step.instruction.command {
            Command::Copy(copy) if copy.from.is_none() => &copy.transfer,
            Command::Add(add) => &add.transfer,
            _ => continue,
        };
        for path in transfer.paths() {
            let text = path.value.as_str();
            let is_literal = !has_wildcard(text)
                && !text.contains(['$', '"', '\''])
                && !text.contains("://")
                && !text.starts_with("git@");
            if !is_literal || text.starts_with("..") {
                continue;
            }
            let name = text.trim_start_matches(['.', '/']).trim_end_matches('/');
            let name = if text.starts_with('.') && !text.starts_with("./") {
                text.trim_end_matches('/')
            } else {
                name
            };
            if name.is_empty() || name == "." || name.contains("/./") {
                continue;
            }
            if context.is_ignored(name) {
                sink.at(
                    path.span,
                    format!(".dockerignore leaves out {name}, so the builder does not find it"),
                )
                .help(format!("add `!{name}` to .dockerignore, or do not copy it"));
            } else if context.is_complete && !context.has(name) && !is_made(name) {
                let near = closest(name, context.files.iter().map(String::as_str))
                    .map(|guess| format!("did you mean `{guess}`?"));
                sink.at(path.span, format!("{name} is not in the folder")).help(
                    near.unwrap_or_else(|| "copy what is there, or build it in a stage before".to_owned()),
                );
            }
        }
    }
}

/// Folders that a build outside may make.
fn is_made(name: &str) -> bool {
    let first = name.split('/').next().unwrap_or(name);
    matches!(first, "dist" | "build" | "out" | ".next" | ".output" | "node_modules" | "target" | "coverage")
}
