use crate::facts::{line, node_major, recommended};
use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF006",
    slug: "node_not_for_production",
    title: "The line of Node is not meant for production",
    level: Level::Info,
    asked: Asked::Always,
    repair: Repair::None,
    aliases: &[],
    page: include_str!("../../tests/rules/DF006.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let today = subject.settings.today.as_str();
    for stage in subject.model.final_chain().filter(|stage| stage.parent.is_none()) {
        let (Some(root), Some(from)) = (&stage.root, stage.from) else { continue };
        let Some(major) = node_major(root).filter(|major| major % 2 == 1) else { continue };
        if line(major).is_none_or(|line| line.end.as_str() >= today) {
            sink.at(
                from.image.span,
                format!("Node {major} has an odd number: it gets fixes for half a year only"),
            )
            .help(format!("use Node {}", recommended(today)));
        }
    }
}
