use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF049",
    slug: "node_env_not_production",
    title: "NODE_ENV is not production in the image that runs",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &[],
    page: include_str!("../../tests/rules/DF049.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let Some(stage) = subject.model.final_stage() else { return };
    let has_node = stage.base.is_some_and(|base| base.node_path.is_some());
    // Development is another rule's.
    if !has_node || stage.end.env.contains_key("NODE_ENV") || sets_itself(stage) {
        return;
    }
    let line = "ENV NODE_ENV=production";
    sink.at(stage.instruction.head, "NODE_ENV is not set, so packages run as for development")
        .help(line)
        .safe(format!("write `{line}`"), vec![subject.insert_at_end(stage, line)]);
}

fn sets_itself(stage: &crate::model::StageModel<'_>) -> bool {
    stage.argv().is_some_and(|argv| argv.iter().any(|word| word.contains("NODE_ENV=")))
}
