use crate::{Asked, Edit, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::{Command, Form};

pub(super) static RULE: Rule = Rule {
    id: "DF034",
    slug: "array_not_json",
    title: "What looks like an array is none",
    level: Level::Error,
    asked: Asked::Always,
    repair: Repair::Safe,
    aliases: &[],
    page: include_str!("../../tests/rules/DF034.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    for (_, step) in subject.model.steps() {
        let form = match &step.instruction.command {
            Command::Cmd(form) | Command::Entrypoint(form) => form,
            Command::Run(run) => &run.form,
            _ => continue,
        };
        let Form::Shell(line) = form else { continue };
        let text = line.value.trim();
        let is_run = matches!(step.instruction.command, Command::Run(_));
        let looks = text.starts_with('[') && text.ends_with(']') && !text.starts_with("[[");
        // `[ -f x ]` is a test of the shell's.
        if !looks || (is_run && !text.starts_with("[\"") && !text.starts_with("['")) {
            continue;
        }
        let finding = sink.at(line.span, "this is no JSON, so a shell gets it, brackets and all");
        finding.help("an array holds strings in double quotes, with commas between them");
        if let Some(repaired) = repaired(text) {
            finding.safe(format!("write {repaired}"), vec![Edit::replace(line.span, repaired)]);
        }
    }
}

/// The array that was meant, if that is clear.
fn repaired(text: &str) -> Option<String> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    if inner.contains(['\\', '\n', '$']) {
        return None;
    }
    let words: Option<Vec<String>> = inner
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(|word| {
            let quotes = ['"', '\'', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}'];
            let bare = word.trim_matches(quotes);
            (!bare.contains(quotes) && !bare.is_empty()).then(|| format!("\"{bare}\""))
        })
        .collect();
    words.filter(|words| !words.is_empty()).map(|words| format!("[{}]", words.join(", ")))
}
