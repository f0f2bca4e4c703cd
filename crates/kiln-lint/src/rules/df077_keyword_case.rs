use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF077",
    slug: "keyword_case",
    title: "Keywords are written in capitals and in small letters",
    level: Level::Info,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &["ConsistentInstructionCasing"],
    page: include_str!("../../tests/rules/DF077.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let all: Vec<_> = subject
        .file
        .instructions
        .iter()
        .filter(|instruction| !matches!(instruction.command, kiln_dockerfile::Command::Unknown))
        .collect();
    let is_upper = |text: &str| text.chars().all(|char| char.is_ascii_uppercase());
    let is_lower = |text: &str| text.chars().all(|char| char.is_ascii_lowercase());
    let upper = all.iter().filter(|instruction| is_upper(&instruction.keyword.value)).count();
    let lower = all.iter().filter(|instruction| is_lower(&instruction.keyword.value)).count();
    let wants_upper = upper >= lower;
    for instruction in all {
        let keyword = &instruction.keyword;
        let is_right = if wants_upper { is_upper(&keyword.value) } else { is_lower(&keyword.value) };
        if !is_right {
            let wanted = if wants_upper {
                keyword.value.to_ascii_uppercase()
            } else {
                keyword.value.to_ascii_lowercase()
            };
            sink.at(
                keyword.span,
                format!(
                    "`{}` beside others in {}",
                    keyword.value,
                    if wants_upper { "capitals" } else { "small letters" }
                ),
            )
            .help(format!("write `{wanted}`"))
            .safe(format!("write `{wanted}`"), vec![Edit::replace(keyword.span, wanted.clone())]);
        }
    }
}
