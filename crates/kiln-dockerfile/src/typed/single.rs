use super::{Parts, can_hold_heredocs, error, instruction, needs_argument, no_flags, transfer};
use kiln_finding::closest;

use crate::{Command, Problem, expand, flags, has_host_part, parse_ports, parse_signal, signal};

/// Instructions that take all that follows as one value.
pub(super) fn one(parts: &Parts<'_>, name: &str, problems: &mut Vec<Problem>) -> Option<Command> {
    let is_fine = no_flags(parts, name, problems);
    let what = match name {
        "WORKDIR" => "a folder",
        "USER" => "a user",
        "STOPSIGNAL" => "a signal",
        _ => "a name",
    };
    needs_argument(parts, name, what, problems)?;
    let value = parts.arguments.spanned();
    let is_literal = !value.value.contains(['$', '"', '\'', parts.escape]);
    if name == "STOPSIGNAL" && is_literal && parse_signal(&value.value).is_none() {
        let message = format!("there is no signal `{}`", value.value);
        let bare = value.value.to_ascii_uppercase();
        let guess = closest(bare.strip_prefix("SIG").unwrap_or(&bare), signal::names());
        let guess = guess.map(|guess| format!("SIG{guess}"));
        problems.push(Problem::error("unknown-signal", value.span, message).with_guess(guess.as_deref()));
        return None;
    }
    is_fine.then_some(match name {
        "WORKDIR" => Command::Workdir(value),
        "USER" => Command::User(value),
        "STOPSIGNAL" => Command::StopSignal(value),
        _ => Command::Maintainer(value),
    })
}

/// `EXPOSE` and `VOLUME`.
pub(super) fn list(parts: &Parts<'_>, name: &str, problems: &mut Vec<Problem>) -> Option<Command> {
    let is_fine = no_flags(parts, name, problems);
    needs_argument(parts, name, if name == "EXPOSE" { "a port" } else { "a folder" }, problems)?;
    if name == "VOLUME" {
        let words = transfer::words(parts, problems)?;
        if let Some(empty) = words.iter().find(|word| word.value.trim().is_empty()) {
            error(problems, "empty-volume", empty.span, "a volume cannot be empty");
            return None;
        }
        if words.is_empty() {
            error(problems, "missing-argument", parts.arguments.span(), "VOLUME needs a folder");
            return None;
        }
        return is_fine.then_some(Command::Volume(words));
    }
    let words: Vec<_> =
        parts.arguments.words().into_iter().map(super::super::logical::Part::spanned).collect();
    let before = problems.len();
    for word in words.iter().filter(|word| !word.value.contains('$')) {
        let plain = expand(&word.value, &crate::Nothing, parts.escape);
        let plain = plain.map_or_else(|_| word.value.clone(), |expansion| expansion.value);
        match parse_ports(&plain) {
            Err(why) => error(problems, "invalid-port", word.span, format!("`{}` {why}", word.value)),
            Ok(_) if has_host_part(&plain) => {
                let message = format!("`{}`: an image keeps only the port of the container", word.value);
                problems.push(Problem::warning("host-port", word.span, message));
            }
            Ok(_) => {}
        }
    }
    let has_error = problems.get(before..).unwrap_or_default().iter().any(Problem::is_error);
    (is_fine && !has_error).then_some(Command::Expose(words))
}

pub(super) fn onbuild(parts: &Parts<'_>, problems: &mut Vec<Problem>) -> Option<Command> {
    let is_fine = no_flags(parts, "ONBUILD", problems);
    needs_argument(parts, "ONBUILD", "an instruction", problems)?;
    let arguments = parts.arguments;
    let (keyword, rest) =
        arguments.split_blank().unwrap_or((arguments, arguments.from(arguments.text().len())));
    let upper = keyword.text().to_ascii_uppercase();
    if matches!(upper.as_str(), "ONBUILD" | "FROM" | "MAINTAINER") {
        error(problems, "onbuild-trigger", keyword.span(), format!("ONBUILD cannot hold {upper}"));
        return None;
    }
    let (flags, inner) = flags::split(rest);
    let heredocs =
        if can_hold_heredocs(keyword.text(), inner.text()) { parts.heredocs.clone() } else { Vec::new() };
    let span = arguments.span();
    let inner = Parts {
        span: span.to(parts.span),
        head: span,
        line: parts.line,
        keyword,
        original: arguments,
        flags,
        arguments: inner,
        heredocs,
        comments: Vec::new(),
        escape: parts.escape,
    };
    let before = problems.len();
    let inner = instruction(inner, problems);
    let has_error = problems.get(before..).unwrap_or_default().iter().any(Problem::is_error);
    (is_fine && !has_error).then(|| Command::Onbuild(Box::new(inner)))
}
