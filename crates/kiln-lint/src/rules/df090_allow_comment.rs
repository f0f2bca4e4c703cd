use crate::pragma::{Origin, Pragmas};
use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF090",
    slug: "allow_comment",
    title: "A comment that allows a finding needs a known id and a reason",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::None,
    aliases: &[],
    page: include_str!("../../tests/rules/DF090.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let pragmas = Pragmas::read(subject.file);
    for pragma in pragmas.list.iter().filter(|pragma| pragma.origin == Origin::Kiln) {
        let is_known = |name: &str| subject.rules.iter().any(|rule| rule.is(name, Origin::Kiln));
        let unknown = pragma.names.iter().find(|name| !is_known(name));
        if let Some(unknown) = unknown {
            let ids = subject.rules.iter().flat_map(|rule| [rule.id, rule.slug]);
            let guess = kiln_finding::did_you_mean(unknown, ids);
            sink.at(pragma.span, format!("there is no rule `{unknown}`")).help.clone_from(&guess);
        } else if pragma.names.is_empty() {
            sink.at(pragma.span, "it names no rule").help("# kiln: allow DF023 why that is right here");
        } else if pragma.reason.is_empty() {
            sink.at(pragma.span, "it gives no reason, so it allows nothing")
                .help(format!("# kiln: allow {} why that is right here", pragma.names.join(" ")));
        }
    }
}
