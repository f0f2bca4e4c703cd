use std::collections::BTreeSet;
use std::iter::Peekable;
use std::str::Chars;

use super::error::{Error, ErrorKind};
use super::output::Output;
use super::pattern::Pattern;

/// Variables nested deeper are refused.
const MAX_DEPTH: usize = 64;
/// More bytes than this come out of no honest word.
const MAX_RESULT: usize = 1 << 20;

/// Patterns are not matched with more characters: the time for it grows with their square.
const MAX_MATCHED: usize = 16 << 10;

/// Where the values of variables come from.
pub trait Lookup {
    /// The value, or `None` where the variable is not set.
    fn get(&self, name: &str) -> Option<String>;
}

impl<F: Fn(&str) -> Option<String>> Lookup for F {
    fn get(&self, name: &str) -> Option<String> {
        self(name)
    }
}

/// No variable is set.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

impl Lookup for Nothing {
    fn get(&self, _: &str) -> Option<String> {
        None
    }
}

/// What came out of a word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expansion {
    /// The text.
    pub value: String,
    /// Variables that were asked for and set.
    pub used: BTreeSet<String>,
    /// Variables that were asked for and not set.
    pub unset: BTreeSet<String>,
}

/// How a word is read.
#[derive(Clone, Copy)]
pub(crate) struct Mode {
    pub(crate) escape: char,
    /// Quotes stay in the result.
    pub(crate) raw_quotes: bool,
    /// Escape characters stay in the result.
    pub(crate) raw_escapes: bool,
    /// Variables that are not set stay as they are written.
    pub(crate) keep_unset: bool,
}

impl Mode {
    pub(crate) fn plain(escape: char) -> Self {
        Self { escape, raw_quotes: false, raw_escapes: false, keep_unset: false }
    }
}

/// Replaces the variables of a word.
pub(super) fn expand(word: &str, variables: &dyn Lookup, mode: Mode) -> Result<Expansion, Error> {
    let mut reader = Reader::new(word, variables, mode);
    let value = reader.until(None, mode.raw_escapes)?.text;
    Ok(reader.end(value))
}

/// Replaces the variables of a text in which quotes are nothing special.
pub(super) fn expand_content(content: &str, variables: &dyn Lookup, mode: Mode) -> Result<Expansion, Error> {
    let mut reader = Reader { skip_quotes: true, ..Reader::new(content, variables, mode) };
    let value = reader.until(None, mode.raw_escapes)?.text;
    Ok(reader.end(value))
}

/// Replaces the variables of a list of words.
pub(crate) fn expand_words_in(word: &str, variables: &dyn Lookup, mode: Mode) -> Result<Vec<String>, Error> {
    let mut reader = Reader::new(word, variables, mode);
    Ok(reader.until(None, mode.raw_escapes)?.into_words())
}

struct Reader<'a> {
    word: &'a str,
    chars: Peekable<Chars<'a>>,
    variables: &'a dyn Lookup,
    mode: Mode,
    skip_quotes: bool,
    depth: usize,
    /// Bytes that were made so far, in all nested words.
    made: usize,
    used: BTreeSet<String>,
    unset: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    fn new(word: &'a str, variables: &'a dyn Lookup, mode: Mode) -> Self {
        Self {
            word,
            chars: word.chars().peekable(),
            variables,
            mode,
            skip_quotes: false,
            depth: 0,
            made: 0,
            used: BTreeSet::new(),
            unset: BTreeSet::new(),
        }
    }

    fn end(self, value: String) -> Expansion {
        Expansion { value, used: self.used, unset: self.unset }
    }

    fn word(&self) -> String {
        /// Messages show no more of a word.
        const SHOWN: usize = 80;
        match self.word.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}…", &self.word[..end]),
            None => self.word.to_owned(),
        }
    }

    fn count(&mut self, bytes: usize) -> Result<(), Error> {
        self.made += bytes;
        if self.made > MAX_RESULT.max(4 * self.word.len()) {
            return Err(ErrorKind::Long { word: self.word(), limit: MAX_RESULT }.into());
        }
        Ok(())
    }

    /// Reads up to `stop` (taken) or the end.
    fn until(&mut self, stop: Option<char>, raw_escapes: bool) -> Result<Output, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ErrorKind::Deep { word: self.word(), limit: MAX_DEPTH }.into());
        }
        let outer = std::mem::replace(&mut self.mode.raw_escapes, raw_escapes);
        let result = self.until_inner(stop);
        self.mode.raw_escapes = outer;
        self.depth -= 1;
        result
    }

    fn until_inner(&mut self, stop: Option<char>) -> Result<Output, Error> {
        let mut output = Output::default();
        while let Some(&char) = self.chars.peek() {
            if Some(char) == stop {
                self.chars.next();
                return Ok(output);
            }
            match char {
                '$' => {
                    let value = self.dollar()?;
                    value.chars().for_each(|char| output.push(char));
                }
                '\'' if !self.skip_quotes => output.push_raw(&self.single_quoted()?),
                '"' if !self.skip_quotes => output.push_raw(&self.double_quoted()?),
                char if char == self.mode.escape => {
                    self.chars.next();
                    let mut kept = String::new();
                    if self.mode.raw_escapes {
                        kept.push(char);
                    }
                    kept.extend(self.chars.next());
                    if !kept.is_empty() {
                        output.push_raw(&kept);
                    }
                }
                char => {
                    self.chars.next();
                    output.push(char);
                }
            }
        }
        match stop {
            None => Ok(output),
            Some(_) => Err(ErrorKind::Brace { word: self.word() }.into()),
        }
    }

    fn single_quoted(&mut self) -> Result<String, Error> {
        let mut value = String::new();
        if self.mode.raw_quotes {
            value.push('\'');
        }
        self.chars.next();
        loop {
            match self.chars.next() {
                None => return Err(ErrorKind::Quote { word: self.word(), quote: "single quote" }.into()),
                Some('\'') => break,
                Some(char) => value.push(char),
            }
        }
        if self.mode.raw_quotes {
            value.push('\'');
        }
        Ok(value)
    }

    fn double_quoted(&mut self) -> Result<String, Error> {
        let mut value = String::new();
        if self.mode.raw_quotes {
            value.push('"');
        }
        self.chars.next();
        loop {
            match self.chars.peek().copied() {
                None => return Err(ErrorKind::Quote { word: self.word(), quote: "double quote" }.into()),
                Some('"') => break,
                Some('$') => value.push_str(&self.dollar()?),
                Some(char) if char == self.mode.escape => {
                    self.chars.next();
                    if self.mode.raw_escapes {
                        value.push(char);
                    }
                    match self.chars.peek().copied() {
                        None => {}
                        Some(next) if next == '"' || next == '$' || next == self.mode.escape => {
                            value.push(next);
                            self.chars.next();
                        }
                        Some(_) => value.push(char),
                    }
                }
                Some(char) => {
                    self.chars.next();
                    value.push(char);
                }
            }
        }
        self.chars.next();
        if self.mode.raw_quotes {
            value.push('"');
        }
        Ok(value)
    }

    fn value_of(&mut self, name: &str) -> Option<String> {
        let value = self.variables.get(name);
        let list = if value.is_some() { &mut self.used } else { &mut self.unset };
        list.insert(name.to_owned());
        value
    }

    fn dollar(&mut self) -> Result<String, Error> {
        self.chars.next();
        if self.chars.peek() != Some(&'{') {
            let name = self.name();
            if name.is_empty() {
                return Ok("$".to_owned());
            }
            let value = match self.value_of(&name) {
                None if self.mode.keep_unset => format!("${name}"),
                value => value.unwrap_or_default(),
            };
            self.count(value.len())?;
            return Ok(value);
        }
        self.chars.next();
        match self.chars.peek() {
            None => return Err(ErrorKind::Brace { word: self.word() }.into()),
            Some('{' | '}' | ':') => return Err(ErrorKind::Name { word: self.word() }.into()),
            Some(_) => {}
        }
        let name = self.name();
        let value = self.braces(&name)?;
        self.count(value.len())?;
        Ok(value)
    }

    /// What follows `${name`.
    fn braces(&mut self, name: &str) -> Result<String, Error> {
        let Some(first) = self.chars.next() else {
            return Err(ErrorKind::Brace { word: self.word() }.into());
        };
        let (operator, written) = match first {
            '}' => {
                return Ok(match self.value_of(name) {
                    None if self.mode.keep_unset => format!("${{{name}}}"),
                    value => value.unwrap_or_default(),
                });
            }
            '/' => return self.replaced(name),
            ':' => match self.chars.next() {
                Some(next) => (next, format!(":{next}")),
                None => return Err(ErrorKind::Brace { word: self.word() }.into()),
            },
            other => (other, other.to_string()),
        };
        let is_known = match first {
            ':' => matches!(operator, '+' | '-' | '?'),
            _ => matches!(operator, '+' | '-' | '?' | '#' | '%'),
        };
        if !is_known {
            return Err(self.modifier(name, written));
        }
        let word = self.until(Some('}'), matches!(operator, '#' | '%'))?.text;
        let value = self.value_of(name);
        if self.mode.keep_unset && value.is_none() {
            return Ok(format!("${{{name}{written}{word}}}"));
        }
        let is_missing = value.is_none() || (first == ':' && value.as_deref() == Some(""));
        match operator {
            '-' if is_missing => Ok(word),
            '+' => Ok(if is_missing { String::new() } else { word }),
            '?' if is_missing => {
                let default = if value.is_none() { "it must be set" } else { "it must not be empty" };
                let message = if word.is_empty() { default.to_owned() } else { word };
                Err(ErrorKind::Required { name: name.to_owned(), message }.into())
            }
            '#' | '%' => self.trimmed(&word, value.unwrap_or_default(), operator),
            _ => Ok(value.unwrap_or_default()),
        }
    }

    fn modifier(&self, name: &str, modifier: String) -> Error {
        ErrorKind::Modifier { word: self.word(), name: name.to_owned(), modifier }.into()
    }

    fn pattern(&self, pattern: &str) -> Result<Pattern, Error> {
        let bad = |escaped| ErrorKind::Pattern { word: self.word(), pattern: pattern.to_owned(), escaped };
        Pattern::parse(pattern).map_err(|escaped| bad(escaped).into())
    }

    fn chars_to_match(&self, value: &str) -> Result<Vec<char>, Error> {
        if value.len() > MAX_MATCHED {
            return Err(ErrorKind::Long { word: self.word(), limit: MAX_MATCHED }.into());
        }
        Ok(value.chars().collect())
    }

    fn trimmed(&self, word: &str, value: String, operator: char) -> Result<String, Error> {
        let (pattern, is_greedy) = match word.strip_prefix(operator) {
            Some(pattern) => (pattern, true),
            None => (word, false),
        };
        let pattern = self.pattern(pattern)?;
        let chars = self.chars_to_match(&value)?;
        let kept = if operator == '#' {
            let length = pattern.prefix(&chars, is_greedy).unwrap_or(0);
            chars.get(length..)
        } else {
            let length = pattern.suffix(&chars, is_greedy).unwrap_or(0);
            chars.get(..chars.len() - length)
        };
        Ok(kept.unwrap_or_default().iter().collect())
    }

    /// What follows `${name/`.
    fn replaced(&mut self, name: &str) -> Result<String, Error> {
        let is_all = self.chars.peek() == Some(&'/');
        if is_all {
            self.chars.next();
        }
        let slash = ErrorKind::Slash { word: self.word(), name: name.to_owned() };
        let is_at_end = |reader: &mut Self| reader.chars.peek().is_none();
        let text = match self.until(Some('/'), true) {
            Ok(output) => output.text,
            Err(_) if is_at_end(self) => return Err(slash.into()),
            Err(error) => return Err(error),
        };
        let replacement = self.until(Some('}'), true)?.text;
        let value = self.value_of(name);
        let Some(value) = value.or((!self.mode.keep_unset).then(String::new)) else {
            return Ok(format!("${{{name}/{text}/{replacement}}}"));
        };
        let pattern = self.pattern(&text)?;
        let chars = self.chars_to_match(&value)?;
        let mut result = String::new();
        let mut at = 0;
        let mut end_before = None;
        let mut is_done = false;
        while at <= chars.len() {
            let rest = chars.get(at..).unwrap_or_default();
            let length = if is_done { None } else { pattern.prefix(rest, true) };
            // Nothing at all, right after a match, is no new match.
            match length.filter(|length| *length > 0 || end_before != Some(at)) {
                Some(length) => {
                    self.count(replacement.len())?;
                    result.push_str(&replacement);
                    is_done = !is_all;
                    at += length;
                    end_before = Some(at);
                    if length > 0 {
                        continue;
                    }
                }
                None if at == chars.len() => break,
                None => {}
            }
            result.extend(chars.get(at));
            at += 1;
        }
        Ok(result)
    }

    /// A name, a number, or one of the shell's special parameters.
    fn name(&mut self) -> String {
        let mut name = String::new();
        match self.chars.peek() {
            Some(char) if char.is_numeric() => {
                while let Some(char) = self.chars.next_if(|char| char.is_numeric()) {
                    name.push(char);
                }
            }
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => name.extend(self.chars.next()),
            _ => {
                while let Some(char) = self.chars.next_if(|char| char.is_alphanumeric() || *char == '_') {
                    name.push(char);
                }
            }
        }
        name
    }
}
