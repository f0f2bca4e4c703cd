use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "DF060",
    slug: "folder_loses_its_name",
    title: "COPY takes what is in the folder, and not the folder",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &[],
    page: include_str!("../../tests/rules/DF060.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for (_, step) in subject.model.steps() {
        let Command::Copy(copy) = &step.instruction.command else { continue };
        let dest = copy.transfer.dest.value.as_str();
        for path in copy.transfer.paths() {
            let name = path.value.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            let dest_name = dest.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            // With --parents the name stays; into NODE_PATH or a folder of that name it is meant.
            if name != "node_modules" || dest_name == "node_modules" || copy.parents {
                continue;
            }
            let is_only = copy.transfer.sources.len() == 1;
            let into = match dest {
                "." | "./" => "./node_modules".to_owned(),
                dest => format!("{}/node_modules", dest.trim_end_matches('/')),
            };
            let finding = sink.at(
                step.instruction.head,
                format!("the packages land in `{dest}` itself, where Node does not look for them"),
            );
            finding.help(format!("COPY {} {into}", path.value));
            if is_only && !dest.contains(['$', '"', '[']) {
                finding.safe(format!("copy to {into}"), vec![Edit::replace(copy.transfer.dest.span, into)]);
            }
        }
    }
}
