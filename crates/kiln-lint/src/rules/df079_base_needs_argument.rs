use crate::facts::ImageName;
use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "DF079",
    slug: "base_needs_argument",
    title: "Without a build argument the base has no valid name",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::None,
    aliases: &["InvalidDefaultArgInFrom"],
    page: include_str!("../../tests/rules/DF079.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for stage in &subject.model.stages {
        let Some(from) = stage.from.filter(|from| from.image.value.contains('$')) else { continue };
        let bare =
            subject.file.stages().globals.into_iter().filter_map(|instruction| match &instruction.command {
                Command::Arg(args) => Some(args),
                _ => None,
            });
        let empty = bare.flatten().find(|arg| {
            let is_used = from.image.value.contains(&format!("${}", arg.name.value))
                || from.image.value.contains(&format!("${{{}}}", arg.name.value));
            arg.default.is_none() && is_used
        });
        let is_undefined = subject.model.undefined.iter().any(|(span, _)| *span == from.image.span);
        if let Some(arg) = empty {
            sink.at(
                from.image.span,
                format!("without --build-arg {}=… there is no image to start from", arg.name.value),
            )
            .label(arg.name.span, "declared without a value")
            .help(format!("give it a default: ARG {}=…", arg.name.value));
        } else if stage.image.as_deref().is_some_and(|image| !ImageName::is_valid(image)) && !is_undefined {
            sink.at(
                from.image.span,
                format!("`{}` is no name of an image", stage.image.as_deref().unwrap_or_default()),
            );
        }
    }
}
