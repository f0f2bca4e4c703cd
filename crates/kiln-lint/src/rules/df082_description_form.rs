use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "DF082",
    slug: "description_form",
    title: "The comment of a stage or argument does not begin with its name",
    level: Level::Info,
    asked: Asked::Named,
    repair: Repair::None,
    aliases: &["InvalidDefinitionDescription"],
    page: include_str!("../../tests/rules/DF082.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for instruction in &subject.file.instructions {
        let name = match &instruction.command {
            Command::From(from) => from.name.as_ref().map(|name| name.value.as_str()),
            Command::Arg(args) => match args.as_slice() {
                [only] => Some(only.name.value.as_str()),
                _ => None,
            },
            _ => None,
        };
        let Some((name, comment)) = name.zip(instruction.comments.last()) else { continue };
        if !comment.value.is_empty() && comment.value.split_whitespace().next() != Some(name) {
            sink.at(comment.span, format!("`{name}` is described by a comment that begins with `{name} `"))
                .help("put an empty line between, if it is none");
        }
    }
}
