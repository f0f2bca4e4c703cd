use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::{Command, Source, has_wildcard};

pub(super) static RULE: Rule = Rule {
    id: "DF087",
    slug: "several_sources_one_file",
    title: "Several files are copied to what is no folder",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &["DL3021"],
    page: include_str!("../../tests/rules/DF087.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for (_, step) in subject.model.steps() {
        let transfer = match &step.instruction.command {
            Command::Copy(copy) => &copy.transfer,
            Command::Add(add) => &add.transfer,
            _ => continue,
        };
        let dest = transfer.dest.value.trim_matches('"');
        let has_several = transfer.sources.len() > 1
            || transfer.sources.iter().any(|source| matches!(source, Source::Path(path) if has_wildcard(&path.value) && transfer.sources.len() > 1));
        if has_several && !dest.ends_with('/') && !matches!(dest, "." | "..") && !dest.contains('$') {
            let is_array = subject.text(transfer.dest.span).starts_with('"');
            let finding = sink
                .at(transfer.dest.span, format!("older builders stop here: `{dest}` does not end with `/`"));
            finding.help(format!("write {dest}/"));
            if !is_array {
                finding.safe(format!("write {dest}/"), vec![Edit::insert(transfer.dest.span.end, "/")]);
            }
        }
    }
}
