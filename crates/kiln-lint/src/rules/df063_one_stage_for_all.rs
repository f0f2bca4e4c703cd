use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF063",
    slug: "one_stage_for_all",
    title: "The image that runs is the one that builds",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::Rewrite,
    aliases: &[],
    page: include_str!("../../tests/rules/DF063.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    if subject.context.is_none() {
        return;
    }
    let Some(stage) = subject.model.final_stage() else { return };
    let copies = stage.steps.iter().any(|step| subject.model.copied_from(step).is_some());
    if stage.parent.is_none() && !copies && crate::project::runs_build(stage) {
        sink.at(
            stage.instruction.head,
            "sources, compilers and packages for development are all in the image that runs",
        )
        .help("build in one stage and copy the result to another: `kiln fix --to kiln` does that");
    }
}
