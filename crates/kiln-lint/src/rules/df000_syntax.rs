use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF000",
    slug: "syntax",
    title: "A builder refuses the file, or does something else than it says",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::None,
    aliases: &["DL1000"],
    page: include_str!("../../tests/rules/DF000.md"),
    check,
};

/// Problems that have a rule of their own.
const ELSEWHERE: [&str; 4] = ["empty-continuation", "host-port", "misspelt-directive", "empty-run"];

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for problem in subject.file.problems.iter().filter(|problem| !ELSEWHERE.contains(&problem.code)) {
        let finding = sink.at(problem.span, problem.message.clone());
        if !problem.is_error() {
            finding.level(Level::Warning);
        }
        if let Some(help) = &problem.help {
            finding.help(help.clone());
        }
    }
}
