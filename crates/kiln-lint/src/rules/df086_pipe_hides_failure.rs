use crate::shell::{Joined, SimpleCommand};
use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};

pub(super) static RULE: Rule = Rule {
    id: "DF086",
    slug: "pipe_hides_failure",
    title: "A pipe hides that a command failed",
    level: Level::Info,
    asked: Asked::Named,
    repair: Repair::None,
    aliases: &["DL4006"],
    page: include_str!("../../tests/rules/DF086.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for (_, step) in subject.model.steps() {
        let is_set =
            step.before.shell.as_ref().is_some_and(|shell| shell.value.iter().any(|word| word == "pipefail"))
                || step
                    .commands()
                    .iter()
                    .any(|command| command.program() == "set" && command.args().contains(&"pipefail"));
        let is_pipe = |before: &SimpleCommand, after: &SimpleCommand| {
            !is_set && after.joined == Joined::Pipe && before.depth == after.depth
        };
        let mut pairs = step.commands().iter().zip(step.commands().iter().skip(1));
        if let Some((before, after)) = pairs.find(|(before, after)| is_pipe(before, after)) {
            sink.at(
                step.command(before).to(step.command(after)),
                "only the last command of a pipe decides whether this step fails",
            )
            .help(
                "SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"] before, or a file between the commands",
            );
        }
    }
}
