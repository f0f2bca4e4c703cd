use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF084",
    slug: "port_of_the_host",
    title: "EXPOSE names an address or port of the host",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &["ExposeInvalidFormat"],
    page: include_str!("../../tests/rules/DF084.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for problem in subject.file.problems.iter().filter(|problem| problem.code == "host-port") {
        let text = subject.text(problem.span);
        let port = text.rsplit(':').next().unwrap_or(text);
        sink.at(problem.span, problem.message.clone())
            .help(format!("write {port}; -p of docker run maps it"))
            .safe(format!("write {port}"), vec![Edit::replace(problem.span, port)]);
    }
}
