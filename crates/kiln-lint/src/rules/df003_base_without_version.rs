use crate::facts::recommended;
use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF003",
    slug: "base_without_version",
    title: "A base has no version",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::Unsafe,
    aliases: &["DL3006", "DL3007", "DS-0001"],
    page: include_str!("../../tests/rules/DF003.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for stage in subject.model.reachable().filter(|stage| stage.parent.is_none()) {
        let (Some(root), Some(from)) = (&stage.root, stage.from) else { continue };
        // These registries have no other tags, or hold the version in the name.
        let is_exempt = root.name.starts_with("gcr.io/distroless/") || root.name.starts_with("cgr.dev/");
        if is_exempt || root.digest.is_some() {
            continue;
        }
        let message = match root.tag.as_deref() {
            None => format!("`{}` has no tag, which means latest", root.name),
            Some("latest") => format!("`{}:latest` is another image every week", root.name),
            Some(_) => continue,
        };
        let finding = sink.at(from.image.span, message);
        if root.name == "node" && !from.image.value.contains('$') {
            let image = format!("node:{}-slim", recommended(&subject.settings.today));
            finding
                .help(format!("write `{image}`"))
                .not_safe(format!("write `{image}`"), vec![Edit::replace(from.image.span, image)]);
        } else {
            finding.help("name a version, and a digest behind it");
        }
    }
}
