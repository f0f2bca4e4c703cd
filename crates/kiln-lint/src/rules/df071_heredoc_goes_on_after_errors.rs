use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::{Command, Form};

pub(super) static RULE: Rule = Rule {
    id: "DF071",
    slug: "heredoc_goes_on_after_errors",
    title: "A heredoc goes on after a command has failed",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &[],
    page: include_str!("../../tests/rules/DF071.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for (_, step) in subject.model.steps() {
        let Command::Run(run) = &step.instruction.command else { continue };
        let (Form::Shell(line), [heredoc]) = (&run.form, step.instruction.heredocs.as_slice()) else {
            continue;
        };
        let is_alone = line.value.trim().starts_with("<<") && !line.value.trim().contains([' ', '|', '>']);
        let Some(script) = step.script.as_ref().filter(|_| is_alone) else { continue };
        let separate = script
            .commands
            .iter()
            .filter(|command| command.depth == 0 && command.joined == crate::shell::Joined::Then)
            .count();
        let sets = script.commands.iter().any(|command| {
            command.program() == "set"
                && command
                    .args()
                    .iter()
                    .any(|arg| arg.starts_with('-') && arg.contains('e') || *arg == "errexit")
        });
        let shell = step.before.shell.as_ref().map(|shell| shell.value.join(" ")).unwrap_or_default();
        let first = heredoc.content.lines().next().unwrap_or_default();
        let is_strict = shell.split(' ').any(|word| word.starts_with('-') && word.contains('e'))
            || (first.starts_with("#!") && first.contains(" -e"));
        if separate == 0 || sets || is_strict {
            continue;
        }
        let after_shebang = if first.starts_with("#!") { first.len() + 1 } else { 0 };
        let tabs: String = heredoc
            .content
            .get(after_shebang..)
            .unwrap_or_default()
            .chars()
            .take_while(|char| *char == '\t')
            .collect();
        sink.at(step.instruction.head, "only the last command decides whether this step fails")
            .help("begin with `set -e`")
            .safe(
                "begin with `set -e`",
                vec![Edit::insert(
                    heredoc.span.start + after_shebang,
                    format!("{tabs}set -e{}", subject.line_end()),
                )],
            );
    }
}
