//! The flags at the front of an instruction.

use crate::logical::Part;
use crate::{Flag, Problem, Span, Spanned};
use kiln_finding::closest;

/// Takes the flags off the front. Returns them and what follows.
pub(crate) fn split(line: Part<'_>) -> (Vec<Flag>, Part<'_>) {
    let mut flags = Vec::new();
    let mut rest = line.trim_start();
    while rest.text().starts_with("--") {
        let word = Word::read(rest);
        let part = rest.part(0..word.length);
        rest = rest.from(word.length);
        if word.value == "--" {
            break;
        }
        flags.push(flag(part, &word));
        rest = rest.trim_start();
    }
    (flags, rest.trim())
}

fn flag(part: Part<'_>, word: &Word) -> Flag {
    let body = word.value.strip_prefix("--").unwrap_or(&word.value);
    let (name, value) = match body.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (body, None),
    };
    let name_end = word.equals.unwrap_or(word.length);
    Flag {
        span: part.span(),
        name: Spanned::new(name.to_owned(), part.part(2.min(name_end)..name_end).span()),
        value: value.map(|value| Spanned::new(value.to_owned(), part.part(name_end + 1..word.length).span())),
    }
}

/// A word of the flags, without its quotes.
struct Word {
    value: String,
    /// Bytes of it as it is written.
    length: usize,
    /// Where its first `=` is written.
    equals: Option<usize>,
}

impl Word {
    fn read(line: Part<'_>) -> Self {
        let mut word = Self { value: String::new(), length: 0, equals: None };
        let mut quote = None;
        let mut chars = line.text().char_indices();
        while let Some((at, char)) = chars.next() {
            match (quote, char) {
                (None, char) if char.is_whitespace() => return Self { length: at, ..word },
                (None, '\'' | '"') => quote = Some(char),
                (Some(open), char) if open == char => quote = None,
                // The flags know no other escape character than this one.
                (_, '\\') => word.value.extend(chars.next().map(|(_, next)| next)),
                (_, char) => {
                    if char == '=' && word.equals.is_none() {
                        word.equals = Some(at);
                    }
                    word.value.push(char);
                }
            }
        }
        Self { length: line.text().len(), ..word }
    }
}

/// Hands out flags by name and reports those that nobody asked for.
pub(crate) struct Reader<'a> {
    flags: &'a [Flag],
    known: Vec<&'static str>,
    problems: &'a mut Vec<Problem>,
    is_bad: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(flags: &'a [Flag], problems: &'a mut Vec<Problem>) -> Self {
        Self { flags, known: Vec::new(), problems, is_bad: false }
    }

    fn bad(&mut self, code: &'static str, span: Span, message: String) {
        self.problems.push(Problem::error(code, span, message));
        self.is_bad = true;
    }

    /// All flags of that name; the same flag twice is a problem unless it may be repeated.
    fn all(&mut self, name: &'static str, may_repeat: bool) -> Vec<&'a Flag> {
        self.known.push(name);
        let flags: Vec<&Flag> = self.flags.iter().filter(|flag| flag.name.value == name).collect();
        if let (false, Some(second)) = (may_repeat, flags.get(1)) {
            self.bad("duplicate-flag", second.span, format!("`--{name}` can be given once"));
        }
        flags
    }

    fn value(&mut self, flag: &'a Flag) -> Option<Spanned<String>> {
        if flag.value.is_none() {
            let message = format!("`--{}` needs a value: `--{0}=…`", flag.name.value);
            self.bad("flag-without-value", flag.span, message);
        }
        flag.value.clone()
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Option<Spanned<String>> {
        let flag = *self.all(name, false).first()?;
        self.value(flag)
    }

    pub(crate) fn list(&mut self, name: &'static str) -> Vec<Spanned<String>> {
        let flags = self.all(name, true);
        flags.into_iter().filter_map(|flag| self.value(flag)).collect()
    }

    pub(crate) fn switch(&mut self, name: &'static str) -> Option<bool> {
        let flag = *self.all(name, false).first()?;
        match &flag.value {
            None => Some(true),
            Some(value) if value.value.eq_ignore_ascii_case("true") => Some(true),
            Some(value) if value.value.eq_ignore_ascii_case("false") => Some(false),
            Some(value) => {
                let message = format!("`--{name}` is true or false, not `{}`", value.value);
                self.bad("flag-value", value.span, message);
                None
            }
        }
    }

    pub(crate) fn error(&mut self, span: Span, message: String) {
        self.bad("flag-value", span, message);
    }

    /// Reports the flags that were not asked for. `false` if a builder would refuse the flags.
    pub(crate) fn finish(mut self, instruction: &str) -> bool {
        for flag in self.flags {
            let name = flag.name.value.as_str();
            if !self.known.contains(&name) {
                let message = if self.known.is_empty() {
                    format!("{instruction} takes no flags, and `--{name}` looks like one")
                } else {
                    format!("{instruction} has no flag `--{name}`")
                };
                let guess = closest(name, self.known.iter().copied()).map(|guess| format!("--{guess}"));
                let problem = Problem::error("unknown-flag", flag.span, message).with_guess(guess.as_deref());
                self.problems.push(problem);
                self.is_bad = true;
            }
        }
        !self.is_bad
    }
}
