use std::ops::Range;

use super::script::Word;

/// A piece of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word(Word),
    /// `&&`, `||`, `;`, `;;`, `|`, `&`, `(`, `)` or a line end.
    Operator(&'static str),
    /// With the number before it.
    Redirect(String),
}

/// A lexer; what it cannot read makes it unsure.
pub(super) struct Lexer<'a> {
    pub(super) text: &'a str,
    at: usize,
    pub(super) is_sure: bool,
    /// Terminators of heredocs whose bodies start after this line; tabs before them are dropped where the flag says.
    heredocs: Vec<(String, bool)>,
    /// The ranges of substitutions that were passed, for the parser to look into.
    pub(super) inner: Vec<Range<usize>>,
}

const OPERATORS: [&str; 10] = ["&&", "||", ";;", "|&", ";", "|", "&", "(", ")", "\n"];
const REDIRECTS: [&str; 10] = ["<<-", "<<<", "<<", ">>", "<&", ">&", "&>", ">|", "<", ">"];

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, is_sure: true, heredocs: Vec::new(), inner: Vec::new() }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        self.blanks();
        let rest = self.rest();
        if rest.is_empty() {
            return None;
        }
        if let Some(redirect) = self.redirect() {
            return Some(Token::Redirect(redirect));
        }
        if let Some(operator) = OPERATORS.into_iter().find(|operator| rest.starts_with(operator)) {
            self.at += operator.len();
            if operator == "\n" {
                self.heredoc_bodies();
            }
            return Some(Token::Operator(operator));
        }
        Some(Token::Word(self.word()))
    }

    fn blanks(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches([' ', '\t', '\r']);
            self.at += rest.len() - trimmed.len();
            if let Some(after) = trimmed.strip_prefix("\\\n") {
                self.at = self.text.len() - after.len();
            } else if trimmed.starts_with('#') {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else {
                return;
            }
        }
    }

    fn redirect(&mut self) -> Option<String> {
        let rest = self.rest();
        let digits = rest.len() - rest.trim_start_matches(|char: char| char.is_ascii_digit()).len();
        let operator = REDIRECTS.into_iter().find(|operator| rest[digits..].starts_with(operator))?;
        let length = digits + operator.len();
        self.at += length;
        Some(rest[..length].to_owned())
    }

    /// Says that a heredoc was announced.
    pub(super) fn expect_heredoc(&mut self, name: String, has_tabs: bool) {
        self.heredocs.push((name, has_tabs));
    }

    fn heredoc_bodies(&mut self) {
        for (name, has_tabs) in std::mem::take(&mut self.heredocs) {
            loop {
                let rest = self.rest();
                if rest.is_empty() {
                    self.is_sure = false;
                    return;
                }
                let line = rest.split_inclusive('\n').next().unwrap_or_default();
                self.at += line.len();
                let line = line.trim_end_matches(['\r', '\n']);
                let line = if has_tabs { line.trim_start_matches('\t') } else { line };
                if line == name {
                    break;
                }
            }
        }
    }

    fn word(&mut self) -> Word {
        let start = self.at;
        let mut word = Word { value: String::new(), is_literal: true, range: start..start };
        while let Some(char) = self.rest().chars().next() {
            match char {
                ' ' | '\t' | '\r' | '\n' | ';' | '|' | '&' | '(' | ')' | '<' | '>' => break,
                '\'' => self.quoted('\'', &mut word),
                '"' => self.double_quoted(&mut word),
                '\\' => {
                    self.at += 1;
                    if let Some(next) = self.rest().chars().next() {
                        self.at += next.len_utf8();
                        if next != '\n' {
                            word.value.push(next);
                        }
                    }
                }
                '$' | '`' => self.substitution(&mut word),
                _ => {
                    word.is_literal &= !matches!(char, '*' | '?' | '[' | '~' | '{');
                    word.value.push(char);
                    self.at += char.len_utf8();
                }
            }
        }
        // `[` alone is a program.
        word.is_literal |= word.value == "[" || word.value == "{" || word.value == "[[";
        word.range = start..self.at;
        word
    }

    fn quoted(&mut self, quote: char, word: &mut Word) {
        self.at += 1;
        let rest = self.rest();
        let Some(end) = rest.find(quote) else {
            self.is_sure = false;
            word.value.push_str(rest);
            self.at = self.text.len();
            return;
        };
        word.value.push_str(&rest[..end]);
        self.at += end + 1;
    }

    fn double_quoted(&mut self, word: &mut Word) {
        self.at += 1;
        loop {
            match self.rest().chars().next() {
                None => {
                    self.is_sure = false;
                    return;
                }
                Some('"') => {
                    self.at += 1;
                    return;
                }
                Some('\\') => {
                    self.at += 1;
                    let Some(next) = self.rest().chars().next() else { continue };
                    if !matches!(next, '"' | '\\' | '$' | '`' | '\n') {
                        word.value.push('\\');
                    }
                    if next != '\n' {
                        word.value.push(next);
                    }
                    self.at += next.len_utf8();
                }
                Some('$' | '`') => self.substitution(word),
                Some(char) => {
                    word.value.push(char);
                    self.at += char.len_utf8();
                }
            }
        }
    }

    /// `$x`, `${x}`, `$(x)`, `$((x))` or a backquoted command: kept as written.
    fn substitution(&mut self, word: &mut Word) {
        let start = self.at;
        let rest = self.rest();
        if let Some(body) = rest.strip_prefix('`') {
            let end = body.find('`').unwrap_or_else(|| {
                self.is_sure = false;
                body.len()
            });
            self.inner.push(start + 1..start + 1 + end);
            self.at = (start + end + 2).min(self.text.len());
        } else if rest.starts_with("$((") {
            self.at += self.balanced(1, '(', ')') + 1;
        } else if rest.starts_with("$(") {
            let length = self.balanced(1, '(', ')');
            self.inner.push(start + 2..(start + length).max(start + 2));
            self.at = (start + length + 1).min(self.text.len());
        } else if rest.starts_with("${") {
            self.at = (start + self.balanced(1, '{', '}') + 1).min(self.text.len());
        } else {
            let name = rest[1..].find(|char: char| !char.is_ascii_alphanumeric() && char != '_');
            self.at += 1 + name.unwrap_or(rest.len() - 1);
            if self.at == start + 1 {
                // `$` before something that is no name; `$?` and the like.
                let special = self.rest().chars().next().filter(|char| "?!@*#$-".contains(*char));
                self.at += special.map_or(0, char::len_utf8);
            }
        }
        self.at = self.at.min(self.text.len());
        let written = &self.text[start..self.at];
        word.is_literal &= written == "$";
        word.value.push_str(written);
    }

    /// Bytes from here to the bracket that closes the one at `skip`.
    fn balanced(&mut self, skip: usize, open: char, close: char) -> usize {
        let rest = self.rest();
        let mut depth = 0_usize;
        let mut quote = None;
        let mut chars = rest.char_indices().skip(skip);
        while let Some((at, char)) = chars.next() {
            match (quote, char) {
                (Some('\''), '\\') => {}
                (_, '\\') => {
                    chars.next();
                }
                (Some(inside), char) if inside == char => quote = None,
                (None, '\'' | '"') => quote = Some(char),
                (None, char) if char == open => depth += 1,
                (None, char) if char == close => {
                    depth -= 1;
                    if depth == 0 {
                        return at;
                    }
                }
                _ => {}
            }
        }
        self.is_sure = false;
        rest.len()
    }
}
