use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF002",
    slug: "base_without_digest",
    title: "A base is not pinned by digest",
    level: Level::Warning,
    asked: Asked::Named,
    repair: Repair::None,
    aliases: &[],
    page: include_str!("../../tests/rules/DF002.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for stage in subject.model.reachable().filter(|stage| stage.parent.is_none() && !stage.is_scratch) {
        let (Some(root), Some(from)) = (&stage.root, stage.from) else { continue };
        if root.digest.is_none() {
            sink.at(
                from.image.span,
                format!("`{}` is not pinned: its tag may mean another image tomorrow", from.image.value),
            )
            .help("write name:tag@sha256:…; the tag stays for the reader");
        }
    }
}
