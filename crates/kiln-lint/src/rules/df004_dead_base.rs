use crate::facts::dead_name;
use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF004",
    slug: "dead_base",
    title: "A base gets no updates any more",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::Unsafe,
    aliases: &[],
    page: include_str!("../../tests/rules/DF004.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for stage in subject.model.reachable().filter(|stage| stage.parent.is_none()) {
        let (Some(root), Some(from)) = (&stage.root, stage.from) else { continue };
        let Some((dead, instead)) = dead_name(root) else { continue };
        let finding = sink
            .at(from.image.span, format!("`{}` {}", stage.image.as_deref().unwrap_or(&root.name), dead.why));
        finding.help(format!("use {instead}"));
        if !instead.contains(' ') && !from.image.value.contains('$') {
            let tag = root.tag.as_ref().filter(|_| !instead.contains(':'));
            let image = tag.map_or(instead.clone(), |tag| format!("{instead}:{tag}"));
            finding.not_safe(format!("write `{image}`"), vec![Edit::replace(from.image.span, image)]);
        }
    }
}
