//! From the parts of an instruction to what it says.

mod form;
mod from;
mod pairs;
mod run;
mod single;
mod transfer;

use crate::logical::Part;
use crate::{Command, Flag, Heredoc, Instruction, Problem, Span, Spanned, flags, json};
use kiln_finding::closest;

/// Every instruction.
pub const INSTRUCTIONS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// An instruction, taken apart.
pub(crate) struct Parts<'a> {
    pub(crate) span: Span,
    pub(crate) head: Span,
    pub(crate) line: u32,
    pub(crate) keyword: Part<'a>,
    pub(crate) original: Part<'a>,
    pub(crate) flags: Vec<Flag>,
    pub(crate) arguments: Part<'a>,
    pub(crate) heredocs: Vec<Heredoc>,
    pub(crate) comments: Vec<Spanned<String>>,
    pub(crate) escape: char,
}

/// Whether `<<` may announce heredocs there.
pub(crate) fn can_hold_heredocs(keyword: &str, arguments: &str) -> bool {
    let name = keyword.to_ascii_uppercase();
    if name == "ONBUILD" {
        let inner = arguments.trim_start();
        let (keyword, rest) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
        return !keyword.eq_ignore_ascii_case("ONBUILD") && can_hold_heredocs(keyword, rest.trim());
    }
    matches!(name.as_str(), "ADD" | "COPY" | "RUN")
        && !matches!(json::array(arguments), json::Array::Strings(_))
}

pub(crate) fn instruction(parts: Parts<'_>, problems: &mut Vec<Problem>) -> Instruction {
    let before = problems.len();
    let command = command(&parts, problems);
    let has_error = problems.get(before..).unwrap_or_default().iter().any(Problem::is_error);
    let command = match command {
        Some(command) => command,
        None if has_error => Command::Invalid,
        None => Command::Unknown,
    };
    Instruction {
        span: parts.span,
        head: parts.head,
        line: parts.line,
        keyword: parts.keyword.spanned(),
        original: parts.original.text().to_owned(),
        origin: parts.original.origin(),
        flags: parts.flags,
        arguments: parts.arguments.spanned(),
        heredocs: parts.heredocs,
        comments: parts.comments,
        command,
    }
}

/// What it says; `None` after a problem.
fn command(parts: &Parts<'_>, problems: &mut Vec<Problem>) -> Option<Command> {
    let name = parts.keyword.text().to_ascii_uppercase();
    match name.as_str() {
        "FROM" => from::from(parts, problems),
        "ARG" => pairs::arg(parts, problems),
        "ENV" | "LABEL" => pairs::pairs(parts, &name, problems),
        "RUN" => run::run(parts, problems),
        "COPY" | "ADD" => transfer::transfer(parts, &name, problems),
        "CMD" | "ENTRYPOINT" => form::command(parts, &name, problems),
        "SHELL" => form::shell(parts, problems),
        "HEALTHCHECK" => form::healthcheck(parts, problems),
        "WORKDIR" | "USER" | "STOPSIGNAL" | "MAINTAINER" => single::one(parts, &name, problems),
        "EXPOSE" | "VOLUME" => single::list(parts, &name, problems),
        "ONBUILD" => single::onbuild(parts, problems),
        _ => {
            let message = format!("there is no instruction `{}`", parts.keyword.text());
            let guess = closest(&name, INSTRUCTIONS);
            let problem =
                Problem::error("unknown-instruction", parts.keyword.span(), message).with_guess(guess);
            problems.push(continuation_hint(problem, parts));
            Some(Command::Unknown)
        }
    }
}

/// A line that starts like the end of a shell command most likely lost the `\` of the line above.
fn continuation_hint(problem: Problem, parts: &Parts<'_>) -> Problem {
    let starts_like_shell =
        ["&&", "||", "|", ";", "-"].iter().any(|start| parts.keyword.text().starts_with(start));
    match problem.help {
        None if starts_like_shell => {
            problem.with_help(format!("does the line above lack a `{}` at its end?", parts.escape))
        }
        _ => problem,
    }
}

fn no_flags(parts: &Parts<'_>, name: &str, problems: &mut Vec<Problem>) -> bool {
    flags::Reader::new(&parts.flags, problems).finish(name)
}

fn error(problems: &mut Vec<Problem>, code: &'static str, span: Span, message: impl Into<String>) {
    problems.push(Problem::error(code, span, message));
}

/// Where to point when arguments are missing: at them, or else at the keyword.
fn place(parts: &Parts<'_>) -> Span {
    if parts.arguments.is_empty() { parts.keyword.span() } else { parts.arguments.span() }
}

fn needs_argument(parts: &Parts<'_>, name: &str, what: &str, problems: &mut Vec<Problem>) -> Option<()> {
    if parts.arguments.is_empty() {
        error(problems, "missing-argument", parts.keyword.span(), format!("{name} needs {what}"));
        return None;
    }
    Some(())
}
