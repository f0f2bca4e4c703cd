use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF080",
    slug: "redundant_platform",
    title: "--platform says what holds anyway",
    level: Level::Info,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &["DL3065", "RedundantTargetPlatform"],
    page: include_str!("../../tests/rules/DF080.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for stage in &subject.model.stages {
        let Some(platform) = stage.from.and_then(|from| from.platform.as_ref()) else { continue };
        if !matches!(platform.value.as_str(), "$TARGETPLATFORM" | "${TARGETPLATFORM}") {
            continue;
        }
        let Some(flag) = stage.instruction.flag("platform") else { continue };
        let rest = subject.file.text.get(flag.span.end..).unwrap_or_default();
        let end = flag.span.end + (rest.len() - rest.trim_start_matches([' ', '\t']).len());
        sink.at(flag.span, "a stage is built for the target's platform without being told")
            .help("remove it")
            .safe("remove it", vec![Edit::replace(kiln_dockerfile::Span::new(flag.span.start, end), "")]);
    }
}
