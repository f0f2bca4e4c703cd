use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::{Command, Form, Healthcheck};

pub(super) static RULE: Rule = Rule {
    id: "DF041",
    slug: "healthcheck_program_missing",
    title: "The health check runs a program that is not there",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &[],
    page: include_str!("../../tests/rules/DF041.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let Some(stage) = subject.model.final_stage() else { return };
    let Some(base) = stage.base.filter(|_| !stage.end.has_foreign_files) else { return };
    let Some(step) = subject
        .model
        .final_chain()
        .flat_map(|stage| &stage.steps)
        .filter(|step| matches!(step.instruction.command, Command::Healthcheck(_)))
        .last()
    else {
        return;
    };
    let Command::Healthcheck(Healthcheck::Command(check)) = &step.instruction.command else { return };
    let (programs, has_shell_form): (Vec<String>, bool) = match &check.form {
        Form::Exec(words) => (words.first().map(|word| word.value.clone()).into_iter().collect(), false),
        Form::Shell(line) if line.value.trim_start().starts_with('[') => return,
        Form::Shell(_) => {
            let commands = step.script.as_ref().map(|script| script.commands.as_slice()).unwrap_or_default();
            (commands.iter().map(|command| command.program().to_owned()).collect(), true)
        }
    };
    let missing = if has_shell_form && !base.shell {
        Some("shell".to_owned())
    } else {
        programs.into_iter().find(|name| is_missing(name, stage, base))
    };
    let Some(missing) = missing else { return };
    let form_span = match &check.form {
        Form::Exec(words) => words.first().zip(words.last()).map(|(first, last)| first.span.to(last.span)),
        Form::Shell(line) => Some(line.span),
    };
    let finding =
        sink.at(form_span.unwrap_or(step.instruction.head), format!("{} has no {missing}", base.name));
    let Some(node) = &base.node_path else {
        finding.help("copy a program for it into the image");
        return;
    };
    let url = address(&check.form).unwrap_or_else(|| "http://127.0.0.1:3000/".to_owned());
    let script = format!("fetch('{url}').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))");
    let array = format!("[\"{node}\", \"-e\", \"{script}\"]");
    finding.help("let Node ask: it is there in any case");
    if let Some(span) = form_span.filter(|_| address(&check.form).is_some()) {
        let whole = match &check.form {
            // With its brackets.
            Form::Exec(_) => {
                let start = subject
                    .file
                    .text
                    .get(..span.start)
                    .and_then(|before| before.rfind('['))
                    .unwrap_or(span.start);
                let end = subject
                    .file
                    .text
                    .get(span.end..)
                    .and_then(|after| after.find(']'))
                    .map_or(span.end, |at| span.end + at + 1);
                kiln_dockerfile::Span::new(start, end)
            }
            Form::Shell(_) => span,
        };
        finding.safe("let Node ask", vec![Edit::replace(whole, array)]);
    }
}

fn is_missing(program: &str, stage: &crate::model::StageModel<'_>, base: &crate::facts::Base) -> bool {
    if program.contains('/') {
        // A path: only that of Node is known.
        let is_node = program.ends_with("/bin/node");
        return is_node && base.node_path.as_deref().is_some_and(|path| path != program);
    }
    match program {
        "node" => base.node_path.is_some() && !base.node_on_path,
        "curl" | "wget" | "nc" | "sh" | "bash" | "python3" => {
            let installed = &stage.end.installed;
            let is_netcat = program == "nc" && installed.iter().any(|name| name.contains("netcat"));
            let is_there = base.tools.iter().any(|tool| tool == program) || installed.contains(program);
            !is_there && !is_netcat
        }
        _ => false,
    }
}

/// The address that curl or wget is asked for.
fn address(form: &Form) -> Option<String> {
    let text = match form {
        Form::Exec(words) => words.iter().map(|word| word.value.as_str()).collect::<Vec<_>>().join(" "),
        Form::Shell(line) => line.value.clone(),
    };
    let start = text.find("http://")?;
    let rest = text.get(start..)?;
    let end = rest.find([' ', '"', '\'', '|', ';', '&', '>']).unwrap_or(rest.len());
    let url = rest.get(..end)?;
    (!url.contains(['$', '\\'])).then(|| url.replace("localhost", "127.0.0.1"))
}
