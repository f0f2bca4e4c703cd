use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::{Command, Form};

pub(super) static RULE: Rule = Rule {
    id: "DF032",
    slug: "script_without_node",
    title: "A script is started without Node",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &[],
    page: include_str!("../../tests/rules/DF032.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let Some(stage) = subject.model.final_stage() else { return };
    let Some(argv) = stage.argv() else { return };
    let wraps = stage.end.entrypoint.is_none() && stage.base.is_some_and(|base| base.wraps);
    let is_script = |word: &str| [".js", ".mjs", ".cjs"].iter().any(|end| word.ends_with(end));
    if wraps || !argv.first().is_some_and(|first| is_script(first)) {
        return;
    }
    let setting =
        stage.end.entrypoint.as_ref().filter(|setting| !setting.value.is_empty()).or(stage.end.cmd.as_ref());
    let Some(setting) = setting else { return };
    // A file that was made executable starts by its first line.
    let first = argv.first().map_or("", String::as_str);
    let is_executable = stage.steps.iter().any(|step| match &step.instruction.command {
        Command::Copy(copy) => copy.transfer.chmod.is_some(),
        Command::Run(_) => step.commands().iter().any(|command| command.program() == "chmod"),
        _ => false,
    });
    let Form::Exec(words) = &setting.value else { return };
    let Some(word) = words.first().filter(|_| !is_executable) else { return };
    let node = match stage.base {
        Some(base) if base.node_on_path || base.node_path.is_none() => "node",
        Some(base) => base.node_path.as_deref().unwrap_or("node"),
        None => "node",
    };
    let is_here = subject.file.text.get(word.span.range()).is_some_and(|text| text.contains(first));
    let finding = sink.at(word.span, format!("`{first}` is no program, and nothing starts Node before it"));
    finding.help(format!("write [\"{node}\", \"{first}\"]"));
    if is_here {
        finding.safe("start it with Node", vec![Edit::insert(word.span.start, format!("\"{node}\", "))]);
    }
}
