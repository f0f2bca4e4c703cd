use std::ops::Range;

use super::lexer::{Lexer, Token};
use super::script::{Joined, Redirect, Script, SimpleCommand, Word};

/// Substitutions nested deeper are not looked into.
const MAX_DEPTH: usize = 12;
/// Commands after these are not looked at.
const MAX_COMMANDS: usize = 2_000;

/// Takes a script apart.
pub fn parse(text: &str) -> Script {
    let mut script = Script { commands: Vec::new(), is_known: true };
    read(text, 0, 0, None, &mut script);
    script
}

/// `fixed` is the range of the argument that the text was taken from, where positions inside it mean nothing.
fn read(text: &str, offset: usize, depth: usize, fixed: Option<&Range<usize>>, script: &mut Script) {
    if depth > MAX_DEPTH {
        script.is_known = false;
        return;
    }
    let mut reader = Reader {
        lexer: Lexer::new(text),
        offset,
        depth,
        fixed,
        script,
        current: SimpleCommand::default(),
        joined: Joined::First,
        is_header: false,
    };
    reader.run();
}

struct Reader<'a, 's> {
    lexer: Lexer<'a>,
    offset: usize,
    depth: usize,
    fixed: Option<&'s Range<usize>>,
    script: &'s mut Script,
    current: SimpleCommand,
    joined: Joined,
    /// Inside `for x in …`, up to `;`.
    is_header: bool,
}

impl Reader<'_, '_> {
    fn run(&mut self) {
        while let Some(token) = self.lexer.next() {
            if self.script.commands.len() >= MAX_COMMANDS {
                self.script.is_known = false;
                break;
            }
            match token {
                Token::Operator(operator) => self.operator(operator),
                Token::Redirect(operator) => self.redirect(operator),
                Token::Word(word) => self.word(word),
            }
        }
        self.end(Joined::Then);
        self.script.is_known &= self.lexer.is_sure;
    }

    fn operator(&mut self, operator: &'static str) {
        match operator {
            "&&" => self.end(Joined::And),
            "||" => self.end(Joined::Or),
            "|" | "|&" => self.end(Joined::Pipe),
            "(" => {
                // `f()` defines a function.
                if !self.current.words.is_empty() {
                    self.script.is_known = false;
                }
                self.end_if_any();
                self.depth += 1;
            }
            ")" => {
                self.end(Joined::Then);
                self.depth = self.depth.saturating_sub(1);
            }
            _ => self.end(Joined::Then),
        }
    }

    fn redirect(&mut self, operator: String) {
        let Some(Token::Word(target)) = self.lexer.next() else {
            self.script.is_known = false;
            return;
        };
        let bare = operator.trim_start_matches(|char: char| char.is_ascii_digit());
        if bare == "<<" || bare == "<<-" {
            self.lexer.expect_heredoc(target.value.clone(), bare == "<<-");
        }
        let target = self.placed(target);
        self.current.redirects.push(Redirect { operator, target });
    }

    fn placed(&self, mut word: Word) -> Word {
        word.range = match self.fixed {
            Some(range) => range.clone(),
            None => word.range.start + self.offset..word.range.end + self.offset,
        };
        word
    }

    fn word(&mut self, word: Word) {
        if self.is_header {
            self.inner();
            return;
        }
        let is_first = self.current.words.is_empty() && self.current.env.is_empty();
        if is_first && word.is_literal {
            match word.value.as_str() {
                "if" | "then" | "else" | "elif" | "fi" | "while" | "until" | "do" | "done" | "!" | "{"
                | "}" => return,
                "for" | "select" => {
                    self.is_header = true;
                    return;
                }
                "case" | "esac" | "function" => {
                    self.script.is_known = false;
                    return;
                }
                _ => {}
            }
        }
        self.inner();
        let word = self.placed(word);
        if self.current.words.is_empty()
            && let Some((name, value)) = assignment(&word)
        {
            self.current.env.push((name, value));
            return;
        }
        self.current.words.push(word);
    }

    /// Looks into the substitutions that the lexer passed.
    fn inner(&mut self) {
        for range in std::mem::take(&mut self.lexer.inner) {
            let text = self.lexer.text.get(range.clone()).unwrap_or_default();
            read(text, self.offset + range.start, self.depth + 1, self.fixed, self.script);
        }
    }

    fn end_if_any(&mut self) {
        if !self.current.words.is_empty() || !self.current.env.is_empty() {
            self.end(Joined::Then);
        }
    }

    /// Ends the command; `next` is what joins the next one to it.
    fn end(&mut self, next: Joined) {
        self.is_header = false;
        self.inner();
        let mut command = std::mem::take(&mut self.current);
        if command.words.is_empty() && command.env.is_empty() {
            // After `)`, or a line end after `&&`.
            if next != Joined::Then {
                self.joined = next;
            }
            return;
        }
        let ranges = || {
            command
                .env
                .iter()
                .map(|(_, word)| &word.range)
                .chain(command.words.iter().map(|word| &word.range))
        };
        let start = ranges().map(|range| range.start).min().unwrap_or_default();
        let end = ranges().map(|range| range.end).max().unwrap_or_default();
        command.range = start..end;
        command.joined = self.joined;
        command.depth = self.depth;
        command.is_quoted = self.fixed.is_some();
        self.joined = next;
        let nested = quoted_script(&command);
        self.script.commands.push(command);
        if let Some((text, range)) = nested {
            read(&text, 0, self.depth + 1, Some(&range), self.script);
        }
    }
}

/// `NAME=value`.
fn assignment(word: &Word) -> Option<(String, Word)> {
    let (name, value) = word.value.split_once('=')?;
    let is_name = !name.is_empty()
        && !name.starts_with(|char: char| char.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then(|| (name.to_owned(), Word { value: value.to_owned(), ..word.clone() }))
}

/// What `sh -c` runs.
fn quoted_script(command: &SimpleCommand) -> Option<(String, Range<usize>)> {
    if !matches!(command.program(), "sh" | "bash" | "ash" | "dash" | "/bin/sh" | "/bin/bash") {
        return None;
    }
    let argv = command.argv();
    let flag = argv.iter().position(|word| word.value.starts_with('-') && word.value.ends_with('c'))?;
    let script = argv.get(flag + 1)?;
    Some((script.value.clone(), script.range.clone()))
}
