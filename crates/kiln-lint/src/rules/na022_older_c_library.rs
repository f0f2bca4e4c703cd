use crate::project::{Handover, handovers};
use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "NA022",
    slug: "older_c_library",
    title: "Native code is compiled with a newer C library than it runs with",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::None,
    aliases: &[],
    page: include_str!("../../tests/rules/NA022.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for handover in handovers(subject) {
        pair(subject, &handover, sink);
    }
}

fn pair(subject: &LintSubject<'_>, handover: &Handover<'_, '_>, sink: &mut Sink<'_>) {
    let Handover { source, stage, step } = handover;
    let (Some(from), Some(to)) = (source.glibc(), stage.glibc()) else { return };
    let Some(context) = subject.context.filter(|_| from > to) else { return };
    let compiled = |(_, version, native): &(&str, &str, &kiln_node::Native)| {
        native.script && !native.is_portable(version)
    };
    let natives: Vec<&str> = context.natives().into_iter().filter(compiled).map(|(name, ..)| name).collect();
    if natives.is_empty() {
        return;
    }
    let show = |(major, minor): (u32, u32)| format!("{major}.{minor}");
    sink.at(
        step.instruction.head,
        format!("{} may need glibc {}, and the image has {}", natives.join(", "), show(from), show(to)),
    )
    .label(source.instruction.head, format!("compiled with glibc {}", show(from)))
    .label(stage.instruction.head, format!("runs with glibc {}", show(to)))
    .help("compile on the same release of the distribution, or an older one");
}
