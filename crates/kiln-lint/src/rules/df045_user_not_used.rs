use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF045",
    slug: "user_not_used",
    title: "A user is created and not used",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::None,
    aliases: &[],
    page: include_str!("../../tests/rules/DF045.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let Some(stage) = subject.model.final_stage() else { return };
    // As root there is more to say first.
    if stage.end.is_root(stage.base) != Some(false) {
        return;
    }
    let user = stage.end.user.as_ref().map_or("", |user| user.value.split(':').next().unwrap_or_default());
    let accounts = &stage.end.accounts;
    let is_used = |name: &String| {
        name == user
            || accounts.get(name).and_then(|account| account.uid).is_some_and(|uid| uid.to_string() == user)
    };
    let is_unknown = accounts.values().any(|account| account.uid.is_none())
        && user.bytes().all(|byte| byte.is_ascii_digit());
    if accounts.keys().any(is_used) || is_unknown {
        return;
    }
    for (name, account) in accounts {
        let is_mentioned = subject.file.text.matches(name.as_str()).count() > 1;
        if !is_mentioned {
            sink.at(account.span, format!("`{name}` is created and never used"))
                .help("run the app as this user, or do not create it");
        }
    }
}
