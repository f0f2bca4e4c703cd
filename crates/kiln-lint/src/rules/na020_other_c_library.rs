use crate::facts::Libc;
use crate::project::{Handover, handovers};
use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "NA020",
    slug: "other_c_library",
    title: "Native code is copied to another C library",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::Rewrite,
    aliases: &[],
    page: include_str!("../../tests/rules/NA020.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for handover in handovers(subject) {
        pair(subject, &handover, sink);
    }
}

fn pair(subject: &LintSubject<'_>, handover: &Handover<'_, '_>, sink: &mut Sink<'_>) {
    let Handover { source, stage, step } = handover;
    let (from, to) = (source.libc(), stage.libc());
    if from == to || from == Libc::Unknown || to == Libc::Unknown {
        return;
    }
    let Some(context) = subject.context else { return };
    let natives: Vec<&str> = context
        .natives()
        .into_iter()
        .filter(|(_, version, native)| !native.is_portable(version))
        .map(|(name, ..)| name)
        .collect();
    if natives.is_empty() {
        return;
    }
    let name = |libc| if libc == Libc::Musl { "musl (Alpine)" } else { "the GNU C library" };
    sink.at(
        step.instruction.head,
        format!(
            "{} was installed for {} and will not load with {}",
            natives.join(", "),
            name(from),
            name(to)
        ),
    )
    .label(source.instruction.head, format!("installed with {}", name(from)))
    .label(stage.instruction.head, format!("runs with {}", name(to)))
    .help("install in a stage with the same C library as the image that runs");
}
