use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "DF083",
    slug: "port_protocol_case",
    title: "The protocol of a port is in capitals",
    level: Level::Info,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &["ExposeProtoCasing"],
    page: include_str!("../../tests/rules/DF083.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for (_, step) in subject.model.steps() {
        let Command::Expose(words) = &step.instruction.command else { continue };
        for word in words {
            let Some((port, protocol)) = word.value.split_once('/') else { continue };
            let lower = protocol.to_ascii_lowercase();
            if lower != protocol && !protocol.contains('$') {
                sink.at(word.span, format!("`{protocol}` is written `{lower}` elsewhere"))
                    .help(format!("write {port}/{lower}"))
                    .safe(
                        format!("write {port}/{lower}"),
                        vec![Edit::replace(word.span, format!("{port}/{lower}"))],
                    );
            }
        }
    }
}
