use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "DF023",
    slug: "last_user_root",
    title: "The final image runs as root",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::Unsafe,
    aliases: &["DL3002", "DS-0002", "CKV_DOCKER_3", "CKV_DOCKER_8"],
    page: include_str!("../../tests/rules/DF023.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let Some(stage) = subject.model.final_stage() else { return };
    let base = stage.base;
    let uid = base.and_then(|base| base.account_uid).unwrap_or(65_532);
    let line = format!("USER {uid}:{uid}");
    let user = stage.end.user.as_ref();
    match (stage.end.is_root(base), user) {
        (Some(true), Some(user)) => {
            let finding =
                sink.at(user.span, format!("the final image runs as `{}`, which is root", user.value));
            finding.help(format!("end with `{line}`, and give that user what it must write"));
            let last = stage.steps.iter().rfind(|step| matches!(step.instruction.command, Command::User(_)));
            if let Some(last) = last.filter(|last| last.instruction.head == user.span) {
                let needs_root = stage.steps.iter().any(|step| {
                    step.instruction.span.start > user.span.end
                        && matches!(step.instruction.command, Command::Run(_))
                });
                let edit = if needs_root {
                    subject.insert_at_end(stage, &line)
                } else {
                    Edit::replace(last.instruction.head, line.clone())
                };
                finding.not_safe(format!("write `{line}`"), vec![edit]);
            }
        }
        (Some(true), None) => {
            let what = match stage.from {
                Some(_) if stage.is_scratch => "`scratch` has no other user".to_owned(),
                _ => {
                    let root = stage.root.as_ref();
                    let tag = root.and_then(|root| root.tag.as_ref()).map(|tag| format!(":{tag}"));
                    let name = root.map_or("the base", |root| root.name.as_str());
                    format!("`{name}{}` starts as root", tag.unwrap_or_default())
                }
            };
            sink.at(
                stage.instruction.head,
                format!("the final image runs as root: there is no USER, and {what}"),
            )
            .help(format!("end with `{line}`, and give that user what it must write"))
            .not_safe(format!("write `{line}`"), vec![subject.insert_at_end(stage, &line)]);
        }
        (None, None) => {
            let Some(image) = stage.image.as_deref().filter(|_| !stage.is_scratch) else { return };
            sink.at(
                stage.instruction.head,
                format!("there is no USER, and whether `{image}` has one is not known here"),
            )
            .level(Level::Warning)
            .help(format!("end with `{line}`"))
            .not_safe(format!("write `{line}`"), vec![subject.insert_at_end(stage, &line)]);
        }
        _ => {}
    }
}
