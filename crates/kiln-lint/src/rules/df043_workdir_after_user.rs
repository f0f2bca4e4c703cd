use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "DF043",
    slug: "workdir_after_user",
    title: "Who owns the folder depends on the builder",
    level: Level::Info,
    asked: Asked::Always,
    repair: Repair::Unsafe,
    aliases: &[],
    page: include_str!("../../tests/rules/DF043.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for stage in subject.model.final_chain() {
        for step in &stage.steps {
            let Command::Workdir(folder) = &step.instruction.command else { continue };
            let Some(user) = step.before.user.as_ref().filter(|user| user.stage == stage.index) else {
                continue;
            };
            let path = step.before.resolve(&folder.value);
            let is_new = !step
                .before
                .touched
                .iter()
                .any(|touched| touched == &path || touched.starts_with(&format!("{path}/")));
            let is_home = path.starts_with("/home/") && path.matches('/').count() == 2;
            if step.before.is_root(stage.base) != Some(false)
                || !is_new
                || is_home
                || folder.value.contains('$')
            {
                continue;
            }
            let Some(set) = stage.steps.iter().find(|other| other.instruction.head == user.span) else {
                continue;
            };
            let line = subject.text(step.instruction.head);
            let finding = sink.at(
                step.instruction.head,
                format!("BuildKit gives {path} to `{}`, other builders to root", user.value),
            );
            finding
                .label(user.span, "set before")
                .help("put WORKDIR before USER, and give the folder to the user where the app writes there");
            if step.instruction.comments.is_empty() {
                let edits =
                    vec![subject.insert_before(set.instruction, line), subject.remove(step.instruction)];
                finding.not_safe("put WORKDIR before USER", edits);
            }
        }
    }
}
