use crate::project::{Handover, handovers};
use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "NA021",
    slug: "other_node_line",
    title: "Packages are installed with one Node and run with another",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::None,
    aliases: &[],
    page: include_str!("../../tests/rules/NA021.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for handover in handovers(subject) {
        pair(subject, &handover, sink);
    }
}

fn pair(subject: &LintSubject<'_>, handover: &Handover<'_, '_>, sink: &mut Sink<'_>) {
    let Handover { source, stage, step } = handover;
    let (Some(from), Some(to)) = (source.node_major(), stage.node_major()) else { return };
    if from == to {
        return;
    }
    let natives: Vec<&str> = subject
        .context
        .map(crate::Context::natives)
        .unwrap_or_default()
        .into_iter()
        .filter(|(_, _, native)| native.script && !native.napi)
        .map(|(name, ..)| name)
        .collect();
    let message = if natives.is_empty() {
        format!("installed with Node {from}, run with Node {to}")
    } else {
        format!("{} was compiled for Node {from} and will not load with Node {to}", natives.join(", "))
    };
    let finding = sink.at(step.instruction.head, message);
    finding
        .label(source.instruction.head, format!("Node {from}"))
        .label(stage.instruction.head, format!("Node {to}"));
    finding.help("take the same line of Node in both stages");
    if !natives.is_empty() {
        finding.level(Level::Error);
    }
}
