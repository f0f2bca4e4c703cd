use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::TokenKind;

pub(super) static RULE: Rule = Rule {
    id: "DF076",
    slug: "empty_continuation",
    title: "An instruction goes on over an empty line",
    level: Level::Info,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &["NoEmptyContinuation"],
    page: include_str!("../../tests/rules/DF076.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let empty = subject.file.tokens.iter().filter(|token| token.kind == TokenKind::EmptyContinuation);
    for token in empty {
        let is_last = token.span.end >= subject.file.text.trim_end().len();
        let finding = sink.at(token.span, "an empty line inside an instruction");
        finding.help("remove it; builders will refuse it one day");
        if !is_last {
            finding.safe("remove the line", vec![Edit::replace(token.span, "")]);
        }
    }
}
