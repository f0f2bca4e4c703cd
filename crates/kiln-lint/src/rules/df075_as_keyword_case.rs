use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF075",
    slug: "as_keyword_case",
    title: "AS and FROM are written differently",
    level: Level::Info,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &["FromAsCasing"],
    page: include_str!("../../tests/rules/DF075.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for stage in &subject.model.stages {
        let Some(word) = stage.from.and_then(|from| from.as_word.as_ref()) else { continue };
        let keyword = &stage.instruction.keyword.value;
        let is_upper = keyword.chars().all(char::is_uppercase);
        let is_lower = keyword.chars().all(char::is_lowercase);
        let wanted = if is_lower { "as" } else { "AS" };
        if (is_upper || is_lower) && word.value != wanted {
            sink.at(word.span, format!("`{}` beside `{keyword}`", word.value))
                .help(format!("write `{wanted}`"))
                .safe(format!("write `{wanted}`"), vec![Edit::replace(word.span, wanted)]);
        }
    }
}
