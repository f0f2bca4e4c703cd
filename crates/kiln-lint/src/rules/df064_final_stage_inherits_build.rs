use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF064",
    slug: "final_stage_inherits_build",
    title: "The final stage starts from the stage that builds",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::Rewrite,
    aliases: &[],
    page: include_str!("../../tests/rules/DF064.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let Some(stage) = subject.model.final_stage() else { return };
    let mut next = stage.parent;
    while let Some(parent) = next.and_then(|index| subject.model.stages.get(index)) {
        if crate::project::runs_build(parent) {
            let span = stage.from.map_or(stage.instruction.head, |from| from.image.span);
            sink.at(span, format!("all that stage {} has is in the final image", parent.label()))
                .label(parent.instruction.head, "the stage that builds")
                .help("start from a base for running, and copy the result with COPY --from");
            return;
        }
        next = parent.parent;
    }
}
