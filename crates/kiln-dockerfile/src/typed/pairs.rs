use super::{Parts, error, needs_argument, no_flags};
use crate::logical::Part;
use crate::{ArgDecl, Command, Pairs, Problem, Spanned};

pub(super) fn pairs(parts: &Parts<'_>, name: &str, problems: &mut Vec<Problem>) -> Option<Command> {
    let is_fine = no_flags(parts, name, problems);
    needs_argument(parts, name, "a name and a value", problems)?;
    let words = words(parts.arguments, parts.escape);
    let is_legacy = words.first().is_some_and(|word| !word.text().contains('='));
    let pairs = if is_legacy { vec![legacy(parts, name, problems)?] } else { modern(&words, problems)? };
    if let Some((key, _)) = pairs.iter().find(|(key, _)| key.value.is_empty()) {
        error(problems, "blank-name", key.span, format!("a name before `=` is missing in {name}"));
        return None;
    }
    let pairs = Pairs { pairs, is_legacy };
    is_fine.then(|| if name == "ENV" { Command::Env(pairs) } else { Command::Label(pairs) })
}

type Pair = (Spanned<String>, Spanned<String>);

fn legacy(parts: &Parts<'_>, name: &str, problems: &mut Vec<Problem>) -> Option<Pair> {
    let Some((key, value)) = parts.arguments.split_blank() else {
        let message = format!("{name} needs a name and a value");
        let help = format!("{name} {}=…", parts.arguments.text());
        problems.push(Problem::error("missing-value", parts.arguments.span(), message).with_help(help));
        return None;
    };
    Some((key.spanned(), value.spanned()))
}

fn modern(words: &[Part<'_>], problems: &mut Vec<Problem>) -> Option<Vec<Pair>> {
    let mut pairs = Vec::new();
    for word in words {
        let Some(at) = word.text().find('=') else {
            let message = format!("`{}` has no `=`", word.text());
            let help = "every word is NAME=value; a value with blanks needs quotes";
            problems.push(Problem::error("missing-equals", word.span(), message).with_help(help));
            return None;
        };
        pairs.push((word.part(0..at).spanned(), word.from(at + 1).spanned()));
    }
    Some(pairs)
}

pub(super) fn arg(parts: &Parts<'_>, problems: &mut Vec<Problem>) -> Option<Command> {
    let is_fine = no_flags(parts, "ARG", problems);
    needs_argument(parts, "ARG", "a name", problems)?;
    let mut args = Vec::new();
    for word in words(parts.arguments, parts.escape) {
        let at = word.text().find('=');
        let name = word.part(0..at.unwrap_or(word.text().len()));
        if name.is_empty() {
            error(problems, "blank-name", word.span(), "a name before `=` is missing in ARG");
            return None;
        }
        args.push(ArgDecl { name: name.spanned(), default: at.map(|at| word.from(at + 1).spanned()) });
    }
    is_fine.then_some(Command::Arg(args))
}

/// The words, kept as they are written: quotes and escapes only say where a word ends.
fn words(line: Part<'_>, escape: char) -> Vec<Part<'_>> {
    let mut words = Vec::new();
    let mut start = None;
    let mut quote = None;
    let mut chars = line.text().char_indices();
    while let Some((at, char)) = chars.next() {
        if quote.is_none() && char.is_whitespace() {
            words.extend(start.take().map(|start| line.part(start..at)));
            continue;
        }
        start.get_or_insert(at);
        match quote {
            None if matches!(char, '\'' | '"') => quote = Some(char),
            Some(open) if open == char => quote = None,
            _ => {}
        }
        // Single quotes know no escapes.
        if char == escape && quote != Some('\'') && chars.next().is_none() {
            // An escape with nothing after it is dropped.
            words.extend(start.take().filter(|start| *start < at).map(|start| line.part(start..at)));
        }
    }
    words.extend(start.map(|start| line.from(start)));
    words
}
