use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "DF054",
    slug: "whole_folder_in_image",
    title: "The whole folder is copied into the final image",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::Rewrite,
    aliases: &[],
    page: include_str!("../../tests/rules/DF054.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    if subject.context.is_none() {
        return;
    }
    let Some(last) = subject.model.final_stage() else { return };
    // One stage that builds has a rule of its own.
    if subject.model.final_chain().any(crate::project::runs_build) {
        return;
    }
    for stage in subject.model.final_chain() {
        for step in &stage.steps {
            let Command::Copy(copy) = &step.instruction.command else { continue };
            if copy.from.is_none()
                && copy.transfer.paths().any(|path| matches!(path.value.as_str(), "." | "./" | "*"))
            {
                let _ = last;
                sink.at(
                    step.instruction.head,
                    "tests, configuration and whatever lies there become part of the image",
                )
                .help("copy what runs: COPY package.json ./, COPY src ./src");
            }
        }
    }
}
