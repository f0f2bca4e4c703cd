use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "DF042",
    slug: "user_not_numeric",
    title: "The user is named and not numbered",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &["DL3066"],
    page: include_str!("../../tests/rules/DF042.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let Some(stage) = subject.model.final_stage() else { return };
    let Some(user) = &stage.end.user else { return };
    let (name, group) = user.value.split_once(':').unwrap_or((&user.value, ""));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number(name) || name.is_empty() || name == "root" || name.contains('$') {
        return;
    }
    let finding = sink.at(user.span, format!("a cluster cannot tell that `{name}` is not root"));
    let Some(uid) = stage.end.uid(stage.base) else {
        finding.help("write the number that the user has in the image");
        return;
    };
    let owner = if is_number(group) { format!("{uid}:{group}") } else { format!("{uid}:{uid}") };
    // The group of a user that was created here may have another number.
    let is_base = stage.base.is_some_and(|base| base.account.as_deref() == Some(name));
    let owner = if is_base || is_number(group) { owner } else { uid.to_string() };
    finding.help(format!("write USER {owner}"));
    let word = stage.steps.iter().rev().find_map(|step| match &step.instruction.command {
        Command::User(word) if step.instruction.head == user.span => Some(word),
        _ => None,
    });
    if let Some(word) = word {
        finding.safe(format!("write USER {owner}"), vec![Edit::replace(word.span, owner)]);
    }
}
