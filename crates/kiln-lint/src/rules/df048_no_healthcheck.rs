use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF048",
    slug: "no_healthcheck",
    title: "There is no health check",
    level: Level::Info,
    asked: Asked::Docker,
    repair: Repair::None,
    aliases: &["DL3057", "DS-0026", "CKV_DOCKER_2"],
    page: include_str!("../../tests/rules/DF048.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let Some(stage) = subject.model.final_stage() else { return };
    let serves = stage
        .steps
        .iter()
        .any(|step| matches!(step.instruction.command, kiln_dockerfile::Command::Expose(_)));
    let says_none = subject
        .model
        .final_chain()
        .flat_map(|stage| &stage.steps)
        .any(|step| step.instruction.name() == "HEALTHCHECK");
    if serves && !stage.end.has_healthcheck && !says_none {
        let node = stage.base.and_then(|base| base.node_path.as_deref()).unwrap_or("node");
        sink.at(stage.instruction.head, "nothing tells Docker whether the app works").help(format!(
            "HEALTHCHECK CMD [\"{node}\", \"-e\", \"fetch('http://127.0.0.1:3000/').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))\"]"
        ));
    }
}
