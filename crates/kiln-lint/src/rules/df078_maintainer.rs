use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "DF078",
    slug: "maintainer",
    title: "MAINTAINER is no longer used",
    level: Level::Info,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &["DL4000", "MaintainerDeprecated", "DS-0022", "CKV_DOCKER_6"],
    page: include_str!("../../tests/rules/DF078.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for instruction in &subject.file.instructions {
        let Command::Maintainer(name) = &instruction.command else { continue };
        let bare = name.value.trim_matches('"');
        let line = format!("LABEL org.opencontainers.image.authors=\"{bare}\"");
        let finding = sink.at(instruction.head, "a label took its place");
        finding.help(format!("write {line}"));
        if !bare.contains(['"', '\\', '$', '\n']) {
            finding.safe("write a label", vec![Edit::replace(instruction.head, line)]);
        }
    }
}
