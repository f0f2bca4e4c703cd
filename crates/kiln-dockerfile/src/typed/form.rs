use super::{Parts, error, needs_argument, no_flags, place};
use crate::flags::Reader;
use crate::json::{Array, array};
use crate::logical::Part;
use kiln_finding::closest;

use crate::{Check, Command, Form, Healthcheck, Problem, Spanned, parse_duration};

/// A command in either form; `None` after a problem.
pub(super) fn form(arguments: Part<'_>, problems: &mut Vec<Problem>) -> Option<Form> {
    match array(arguments.text()) {
        Array::Strings(strings) => Some(Form::Exec(
            strings
                .into_iter()
                .map(|(range, value)| Spanned::new(value, arguments.part(range).span()))
                .collect(),
        )),
        Array::NotOfStrings => {
            let message = "the array holds something else than strings";
            let help = "put every element in double quotes";
            problems.push(Problem::error("not-strings", arguments.span(), message).with_help(help));
            None
        }
        Array::None => Some(Form::Shell(arguments.spanned())),
    }
}

pub(super) fn command(parts: &Parts<'_>, name: &str, problems: &mut Vec<Problem>) -> Option<Command> {
    let is_fine = no_flags(parts, name, problems);
    let form =
        if parts.arguments.is_empty() { Form::Exec(Vec::new()) } else { form(parts.arguments, problems)? };
    is_fine.then(|| if name == "CMD" { Command::Cmd(form) } else { Command::Entrypoint(form) })
}

pub(super) fn shell(parts: &Parts<'_>, problems: &mut Vec<Problem>) -> Option<Command> {
    let is_fine = no_flags(parts, "SHELL", problems);
    needs_argument(parts, "SHELL", "an array such as [\"/bin/sh\", \"-c\"]", problems)?;
    match form(parts.arguments, problems)? {
        Form::Exec(words) if words.is_empty() => {
            error(problems, "missing-argument", place(parts), "SHELL needs at least one word");
            None
        }
        Form::Exec(words) => is_fine.then_some(Command::Shell(words)),
        Form::Shell(_) => {
            let message = "SHELL takes an array of strings";
            let help = "SHELL [\"/bin/sh\", \"-c\"]";
            problems.push(Problem::error("shell-form", place(parts), message).with_help(help));
            None
        }
    }
}

pub(super) fn healthcheck(parts: &Parts<'_>, problems: &mut Vec<Problem>) -> Option<Command> {
    needs_argument(parts, "HEALTHCHECK", "`CMD` and a command, or `NONE`", problems)?;
    let text = parts.arguments.text();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let kind = parts.arguments.part(0..end);
    let rest = parts.arguments.from(end).trim_start();
    match kind.text().to_ascii_uppercase().as_str() {
        "NONE" if rest.is_empty() => Some(Command::Healthcheck(Healthcheck::None)),
        "NONE" => {
            error(problems, "unexpected-argument", rest.span(), "nothing may follow `HEALTHCHECK NONE`");
            None
        }
        "CMD" => check(parts, rest, problems),
        _ => {
            let message = format!("a health check is `CMD` and a command, or `NONE`, not `{}`", kind.text());
            let guess = closest(kind.text(), ["CMD", "NONE"]);
            let problem = Problem::error("healthcheck-kind", kind.span(), message);
            problems.push(problem.with_help(format!("HEALTHCHECK CMD {text}")).with_guess(guess));
            None
        }
    }
}

fn check(parts: &Parts<'_>, rest: Part<'_>, problems: &mut Vec<Problem>) -> Option<Command> {
    let mut flags = Reader::new(&parts.flags, problems);
    let [interval, timeout, start_period, start_interval] =
        ["interval", "timeout", "start-period", "start-interval"].map(|name| duration(name, &mut flags));
    let retries = retries(&mut flags);
    let is_fine = flags.finish("HEALTHCHECK");
    if rest.is_empty() {
        error(problems, "missing-argument", place(parts), "`HEALTHCHECK CMD` needs a command");
        return None;
    }
    let form = form(rest, problems)?;
    if form.is_empty() {
        error(problems, "missing-argument", rest.span(), "`HEALTHCHECK CMD` needs a command");
        return None;
    }
    let check = Check { form, interval, timeout, start_period, start_interval, retries };
    is_fine.then_some(Command::Healthcheck(Healthcheck::Command(check)))
}

fn duration(name: &'static str, flags: &mut Reader<'_>) -> u64 {
    /// Builders refuse shorter ones.
    const MIN: u64 = 1_000_000;
    let Some(text) = flags.text(name).filter(|text| !text.value.is_empty()) else { return 0 };
    match parse_duration(&text.value) {
        Some(nanos) if nanos == 0 || nanos >= MIN => nanos,
        Some(_) => {
            flags.error(text.span, format!("`--{name}` is at least 1ms"));
            0
        }
        None => {
            flags.error(
                text.span,
                format!("`--{name}` is a duration such as 30s or 1m30s, not `{}`", text.value),
            );
            0
        }
    }
}

fn retries(flags: &mut Reader<'_>) -> u32 {
    let Some(text) = flags.text("retries").filter(|text| !text.value.is_empty()) else { return 0 };
    if let Some(retries) = text.value.parse::<i32>().ok().and_then(|retries| u32::try_from(retries).ok()) {
        retries
    } else {
        flags.error(text.span, format!("`--retries` is a number from 0, not `{}`", text.value));
        0
    }
}
