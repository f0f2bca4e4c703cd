use crate::facts::ImageName;
use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF073",
    slug: "wrong_syntax_directive",
    title: "The syntax directive is wrong",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &[],
    page: include_str!("../../tests/rules/DF073.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for problem in subject.file.problems.iter().filter(|problem| problem.code == "misspelt-directive") {
        let finding = sink.at(problem.span, problem.message.clone());
        finding.level(Level::Warning);
        let meant = problem.help.as_deref().and_then(|help| help.split('`').nth(1));
        let line = subject.text(problem.span);
        if let (Some(meant), Some((before, after))) = (meant, line.split_once('=')) {
            let name = before.trim_start_matches('#').trim();
            finding.help(format!("did you mean `{meant}`?"));
            finding.safe(
                format!("write `{meant}`"),
                vec![Edit::replace(problem.span, format!("{}={after}", before.replace(name, meant)))],
            );
        }
    }
    let Some(syntax) = subject.file.directive("syntax") else { return };
    let image = syntax.value.value.split(' ').next().unwrap_or_default();
    if !ImageName::is_valid(image) {
        sink.at(syntax.value.span, format!("`{image}` is no name of an image"))
            .help("write docker/dockerfile:1");
    } else if image.starts_with("docker/dockerfile:") && image.contains("-experimental") {
        sink.at(syntax.value.span, "experimental syntaxes ended with version 1.2")
            .level(Level::Warning)
            .help("write docker/dockerfile:1")
            .safe("write docker/dockerfile:1", vec![Edit::replace(syntax.value.span, "docker/dockerfile:1")]);
    }
}
