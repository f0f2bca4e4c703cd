use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF081",
    slug: "fixed_platform",
    title: "The platform is fixed",
    level: Level::Info,
    asked: Asked::Always,
    repair: Repair::Unsafe,
    aliases: &["DL3029", "FromPlatformFlagConstDisallowed"],
    page: include_str!("../../tests/rules/DF081.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for stage in &subject.model.stages {
        let Some(platform) = stage.from.and_then(|from| from.platform.as_ref()) else { continue };
        // A name that says the platform says that it is meant.
        let is_named = stage
            .name
            .as_deref()
            .is_some_and(|name| ["amd64", "arm64", "x86", "arm"].iter().any(|arch| name.contains(arch)));
        if platform.value.contains('$') || is_named {
            continue;
        }
        let Some(flag) = stage.instruction.flag("platform") else { continue };
        let rest = subject.file.text.get(flag.span.end..).unwrap_or_default();
        let end = flag.span.end + (rest.len() - rest.trim_start_matches([' ', '\t']).len());
        sink.at(
            flag.span,
            format!("the image is for {} wherever it is built and whatever is asked for", platform.value),
        )
        .help("remove it, and build with --platform where another platform is wanted")
        .not_safe("remove it", vec![Edit::replace(kiln_dockerfile::Span::new(flag.span.start, end), "")]);
    }
}
