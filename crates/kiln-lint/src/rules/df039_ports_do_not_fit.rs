use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::{Command, parse_ports};

pub(super) static RULE: Rule = Rule {
    id: "DF039",
    slug: "ports_do_not_fit",
    title: "The port does not fit the user or the app",
    level: Level::Info,
    asked: Asked::Always,
    repair: Repair::None,
    aliases: &[],
    page: include_str!("../../tests/rules/DF039.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let Some(stage) = subject.model.final_stage() else { return };
    let mut exposed = Vec::new();
    for step in subject.model.final_chain().flat_map(|stage| &stage.steps) {
        let Command::Expose(words) = &step.instruction.command else { continue };
        for word in words {
            for port in parse_ports(&word.value).unwrap_or_default() {
                let number: u32 = port.split('/').next().and_then(|text| text.parse().ok()).unwrap_or(0);
                exposed.push((number, word.span));
            }
        }
    }
    if stage.end.is_root(stage.base) == Some(false) {
        let mut low: Vec<_> = exposed.iter().filter(|(port, _)| (1..1024).contains(port)).collect();
        // Of a range, the first.
        low.dedup_by_key(|(_, span)| *span);
        for (port, span) in low {
            sink.at(*span, format!("not every runtime lets a user other than root listen on port {port}"))
                .help("listen on a port from 1024 on; whoever publishes it can map it");
        }
    }
    if let (Some(env), [(port, span)]) = (stage.end.env.get("PORT"), exposed.as_slice())
        && env.value.parse::<u32>().is_ok_and(|value| value != *port)
    {
        sink.at(*span, format!("port {port} is exposed, and PORT is {}", env.value))
            .label(env.span, "set here")
            .help("make them the same");
    }
}
