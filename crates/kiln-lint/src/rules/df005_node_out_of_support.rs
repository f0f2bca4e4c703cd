use crate::facts::{dead_name, line, node_major, recommended};
use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF005",
    slug: "node_out_of_support",
    title: "The line of Node is out of support",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::Unsafe,
    aliases: &[],
    page: include_str!("../../tests/rules/DF005.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for stage in subject.model.reachable().filter(|stage| stage.parent.is_none()) {
        let (Some(root), Some(from)) = (&stage.root, stage.from) else { continue };
        let Some(major) = node_major(root).filter(|_| dead_name(root).is_none()) else { continue };
        let today = subject.settings.today.as_str();
        let end = match line(major) {
            Some(line) if line.end.as_str() < today => line.end.as_str(),
            None if major < 16 => "years ago",
            _ => continue,
        };
        let next = recommended(today);
        let finding = sink.at(from.image.span, format!("Node {major} gets no fixes any more (since {end})"));
        finding.help(format!("move to Node {next}"));
        let tag = root.tag.as_deref().unwrap_or_default();
        if root.name == "node" && root.digest.is_none() && from.image.value.ends_with(tag) && !tag.is_empty()
        {
            let kind = ["alpine", "slim"]
                .into_iter()
                .find(|kind| root.tag_words().iter().any(|word| word.starts_with(kind)));
            let image = kind.map_or_else(|| format!("node:{next}"), |kind| format!("node:{next}-{kind}"));
            if !from.image.value.contains('$') {
                finding.not_safe(format!("write `{image}`"), vec![Edit::replace(from.image.span, image)]);
            }
        }
    }
}
