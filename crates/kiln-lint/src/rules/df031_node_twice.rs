use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::{Command, Form, Span};

pub(super) static RULE: Rule = Rule {
    id: "DF031",
    slug: "node_twice",
    title: "Node is given to Node as a script",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &[],
    page: include_str!("../../tests/rules/DF031.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let Some(stage) = subject.model.final_stage() else { return };
    let Some(entrypoint) = stage.end.entrypoint_words(stage.base) else { return };
    let is_node = |word: &String| word.rsplit('/').next() == Some("node");
    let starts_node = entrypoint.len() == 1 && entrypoint.first().is_some_and(is_node);
    let Some(cmd) = stage.end.cmd.as_ref().filter(|_| starts_node) else { return };
    let Form::Exec(words) = &cmd.value else {
        if let Form::Shell(line) = &cmd.value {
            let is_own = stage.end.entrypoint.is_some();
            if is_own || stage.base.is_some_and(|base| base.shell) {
                sink.at(line.span, "the entrypoint is node, which gets `/bin/sh` as its script")
                    .help("write an array: [\"server.js\"]");
            }
        }
        return;
    };
    let [first, second, ..] = words.as_slice() else { return };
    if is_node(&first.value) {
        let span = Span::new(first.span.start, second.span.start);
        let is_here = stage.steps.iter().any(|step| {
            matches!(step.instruction.command, Command::Cmd(_)) && step.instruction.head == cmd.span
        });
        let finding = sink.at(first.span, format!("the container runs `node node {}`", second.value));
        finding.help("the base's entrypoint is node already: leave the word out");
        if is_here {
            finding.safe("leave `node` out", vec![Edit::replace(span, "")]);
        }
    }
}
