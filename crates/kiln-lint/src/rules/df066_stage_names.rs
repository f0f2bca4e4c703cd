use std::collections::BTreeMap;

use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF066",
    slug: "stage_names",
    title: "A stage has a name that is taken, or cannot be built",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::None,
    aliases: &["DL3024", "DL3063", "DuplicateStageName", "ReservedStageName", "DS-0012", "CKV_DOCKER_11"],
    page: include_str!("../../tests/rules/DF066.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let stages = &subject.model.stages;
    let mut named = BTreeMap::new();
    for stage in stages {
        let Some(from) = stage.from else { continue };
        let (Some(name), Some(word)) = (&stage.name, &from.name) else { continue };
        let first = *named.entry(name).or_insert(stage);
        if first.index != stage.index {
            sink.at(
                word.span,
                format!("there is a stage `{name}` already, and which one is meant depends on the line"),
            )
            .label(first.instruction.head, "the first one")
            .help("give every stage a name of its own");
        }
        if matches!(name.as_str(), "scratch" | "context") {
            sink.at(word.span, format!("`{name}` means something else to builders"))
                .help("give the stage another name");
        }
    }
    for cycle in &subject.model.cycles {
        let Some(first) = cycle.first().and_then(|index| stages.get(*index)) else { continue };
        // A stage that copies from itself is reported there.
        if cycle.len() > 1 {
            let labels: Vec<String> =
                cycle.iter().filter_map(|index| Some(stages.get(*index)?.label())).collect();
            sink.at(
                first.instruction.head,
                format!("stages {} need each other, so none can be built", labels.join(", ")),
            )
            .level(Level::Error);
        }
    }
    // A stage with a name may be somebody's --target.
    for stage in stages.iter().filter(|stage| !stage.is_reachable && stage.name.is_none()) {
        sink.at(stage.instruction.head, "nothing uses this stage, and without a name it cannot be a target")
            .help("remove it, or give it a name");
    }
}
