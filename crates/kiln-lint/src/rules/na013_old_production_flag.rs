use crate::model::{Action, package_command};
use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "NA013",
    slug: "old_production_flag",
    title: "The flag for production is an old one",
    level: Level::Info,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &[],
    page: include_str!("../../tests/rules/NA013.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for (_, step, command) in subject.model.commands() {
        let Some(package) = package_command(command).filter(|package| package.program == "npm") else {
            continue;
        };
        if !matches!(package.action, Action::Install { .. } | Action::Prune | Action::Add) {
            continue;
        }
        let argv = command.argv();
        for (at, word) in argv.iter().enumerate() {
            let next = argv.get(at + 1).map_or("", |word| word.value.as_str());
            let (new, last) = match word.value.as_str() {
                "--production" | "--production=true" | "--only=production" | "--only=prod" => {
                    ("--omit=dev", word)
                }
                "--only" if matches!(next, "production" | "prod") => {
                    ("--omit=dev", argv.get(at + 1).unwrap_or(word))
                }
                _ => continue,
            };
            let span = step.word(word).to(step.word(last));
            let finding =
                sink.at(span, format!("`{}` is an old spelling, which npm warns about", word.value));
            finding.help(format!("write `{new}`"));
            if step.can_edit(command) {
                finding.safe(format!("write `{new}`"), vec![Edit::replace(span, new)]);
            }
        }
    }
}
