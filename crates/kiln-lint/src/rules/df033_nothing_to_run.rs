use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF033",
    slug: "nothing_to_run",
    title: "The image starts nothing that runs",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::None,
    aliases: &[],
    page: include_str!("../../tests/rules/DF033.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let Some(stage) = subject.model.final_stage() else { return };
    if let Some(setting) = &stage.end.entrypoint
        && setting.value.exec().is_some_and(|words| words == [""])
    {
        sink.at(setting.span, "the entrypoint is an empty word, which not every runtime takes for none")
            .help("write ENTRYPOINT []");
        return;
    }
    let Some(argv) = stage.argv() else { return };
    let argv: Vec<&str> = argv.iter().map(|word| word.rsplit('/').next().unwrap_or(word)).collect();
    let is_node = stage.base.is_some_and(|base| base.node_path.is_some());
    let message = match argv.as_slice() {
        [] if stage.is_scratch => "there is neither CMD nor ENTRYPOINT",
        ["node"] | ["docker-entrypoint.sh", "node"] if is_node => {
            "the container starts Node without a script and ends at once"
        }
        ["docker-entrypoint.sh"] if is_node => {
            "ENTRYPOINT or CMD is empty, so the container has nothing to start"
        }
        _ => return,
    };
    let setting = stage.end.cmd.as_ref().or(stage.end.entrypoint.as_ref());
    let span = setting.map_or(stage.instruction.head, |setting| setting.span);
    sink.at(span, message)
        .help("end with CMD [\"node\", \"server.js\"], or with the arguments of the base's entrypoint");
}
