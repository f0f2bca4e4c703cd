use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF009",
    slug: "full_debian",
    title: "The final image is a full Debian that nothing asks for",
    level: Level::Info,
    asked: Asked::Always,
    repair: Repair::Rewrite,
    aliases: &[],
    page: include_str!("../../tests/rules/DF009.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let Some(stage) = subject.model.final_stage() else { return };
    let Some(base) = stage.base.filter(|base| base.is_fat) else { return };
    // Without a version there is more to say about it first.
    if stage.root.as_ref().is_none_or(|root| root.tag.as_deref().is_none_or(|tag| tag == "latest")) {
        return;
    }
    let installs =
        subject.model.final_chain().flat_map(|stage| &stage.steps).flat_map(crate::model::Step::commands);
    let uses = installs.into_iter().any(|command| {
        matches!(command.program(), "apt-get" | "apt" | "git" | "python3" | "make" | "gcc" | "curl" | "wget")
    });
    if uses {
        return;
    }
    let chain: Vec<_> = subject.model.final_chain().collect();
    let Some(from) = chain.first().and_then(|stage| stage.from) else { return };
    sink.at(
        from.image.span,
        format!(
            "`{}` ({}) brings compilers, git and hundreds of packages that the app does not use",
            from.image.value, base.name
        ),
    )
    .help("use the -slim tag, or a base without a distribution: `kiln fix --to kiln`");
}
