use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "DF074",
    slug: "stage_name_case",
    title: "The name of a stage has upper-case letters",
    level: Level::Info,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &["StageNameCasing"],
    page: include_str!("../../tests/rules/DF074.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for stage in &subject.model.stages {
        let Some(word) = stage
            .from
            .and_then(|from| from.name.as_ref())
            .filter(|name| name.value.chars().any(char::is_uppercase))
        else {
            continue;
        };
        let lower = word.value.to_lowercase();
        let mut edits = vec![Edit::replace(word.span, lower.clone())];
        for other in subject.model.stages.iter().skip(stage.index) {
            if let Some(from) =
                other.from.filter(|from| from.image.value == word.value && other.index > stage.index)
            {
                edits.push(Edit::replace(from.image.span, lower.clone()));
            }
        }
        for step in subject.model.stages.iter().flat_map(|stage| &stage.steps) {
            if let Command::Copy(copy) = &step.instruction.command
                && let Some(from) = copy.from.as_ref().filter(|from| from.value == word.value)
            {
                edits.push(Edit::replace(from.span, lower.clone()));
            }
        }
        sink.at(word.span, format!("builders compare `{}` in lower case", word.value))
            .help(format!("write `{lower}`"))
            .safe(format!("write `{lower}`"), edits);
    }
}
