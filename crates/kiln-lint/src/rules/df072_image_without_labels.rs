use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "DF072",
    slug: "image_without_labels",
    title: "The image does not say where it comes from",
    level: Level::Info,
    asked: Asked::Named,
    repair: Repair::None,
    aliases: &["DL3049"],
    page: include_str!("../../tests/rules/DF072.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    const WANTED: [&str; 2] = ["org.opencontainers.image.source", "org.opencontainers.image.revision"];
    let Some(stage) = subject.model.final_stage() else { return };
    let labels: Vec<&str> = subject
        .model
        .final_chain()
        .flat_map(|stage| &stage.steps)
        .filter_map(|step| match &step.instruction.command {
            Command::Label(pairs) => Some(pairs.pairs.iter().map(|(key, _)| key.value.trim_matches('"'))),
            _ => None,
        })
        .flatten()
        .collect();
    let missing: Vec<&str> = WANTED.into_iter().filter(|name| !labels.contains(name)).collect();
    if !missing.is_empty() {
        sink.at(stage.instruction.head, format!("{} missing", missing.join(" and ")))
            .help("kiln build adds them; or LABEL org.opencontainers.image.source=… ");
    }
}
