use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF067",
    slug: "instruction_without_effect",
    title: "A later instruction takes the place of this one",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &[
        "DL4003",
        "DL4004",
        "DL3012",
        "MultipleInstructionsDisallowed",
        "DS-0007",
        "DS-0016",
        "DS-0023",
    ],
    page: include_str!("../../tests/rules/DF067.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for stage in subject.model.reachable() {
        for name in ["CMD", "ENTRYPOINT", "HEALTHCHECK"] {
            let mut all: Vec<_> = stage.steps.iter().filter(|step| step.instruction.name() == name).collect();
            let Some(last) = all.pop() else { continue };
            for step in all {
                sink.at(step.instruction.head, format!("only the last {name} of a stage counts"))
                    .label(last.instruction.head, "this one")
                    .help("remove it")
                    .safe("remove it", vec![subject.remove(step.instruction)]);
            }
        }
    }
}
