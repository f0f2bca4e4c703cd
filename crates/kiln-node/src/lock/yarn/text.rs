//! The text of `yarn.lock` of yarn 1 as yarn reads it, to which ends of lines and quotes mean less than they seem to. Source: yarn,
//! `lockfile/parse.js`.

use std::iter::Peekable;

/// Some names, and what stands beside them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// How many names it stands below.
    pub(super) depth: usize,
    pub(super) names: Vec<String>,
    /// `None` where more stands below.
    pub(super) value: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Line,
    /// The blanks at the start of a line.
    Indent(usize),
    Text(String),
    Colon,
    Comma,
    /// What yarn takes for none of them.
    Strange,
}

/// What stands in the text; at which line nobody can tell.
pub(super) fn items(text: &str) -> Result<Vec<Item>, usize> {
    let mut tokens = Tokens { rest: text, starts_line: true }.peekable();
    let (mut items, mut line, mut depth, mut deepest) = (Vec::new(), 1, 0, 0);
    while let Some(token) = tokens.peek() {
        match token {
            Token::Line => (depth, line) = (0, line + 1),
            Token::Indent(blanks) => depth = Some(blanks / 2).filter(|_| blanks % 2 == 0).ok_or(line)?,
            Token::Text(_) if depth <= deepest => {
                let item = item(&mut tokens, depth).ok_or(line)?;
                deepest = depth + usize::from(item.value.is_none());
                items.push(item);
                continue;
            }
            _ => return Err(line),
        }
        tokens.next();
    }
    Ok(items)
}

fn item(tokens: &mut Peekable<Tokens<'_>>, depth: usize) -> Option<Item> {
    let mut names = Vec::new();
    loop {
        let Token::Text(name) = tokens.next()? else { return None };
        names.push(name);
        if tokens.next_if_eq(&Token::Comma).is_none() {
            break;
        }
    }
    let has_colon = tokens.next_if_eq(&Token::Colon).is_some();
    let value = match tokens.next_if(|token| matches!(token, Token::Text(_))) {
        Some(Token::Text(value)) => Some(value),
        _ => None,
    };
    (has_colon || value.is_some()).then_some(Item { depth, names, value })
}

struct Tokens<'a> {
    rest: &'a str,
    starts_line: bool,
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            let first = self.rest.chars().next()?;
            let starts_line = std::mem::replace(&mut self.starts_line, first == '\n');
            match first {
                '\n' => return self.pass(1, Token::Line),
                '#' => self.rest = self.rest.split_at(self.rest.find('\n').unwrap_or(self.rest.len())).1,
                ' ' => {
                    let blanks = self.rest.len() - self.rest.trim_start_matches(' ').len();
                    self.rest = self.rest.get(blanks..)?;
                    let is_empty = self.rest.is_empty() || self.rest.starts_with(['\n', '\r', '#']);
                    if starts_line && !is_empty {
                        return Some(Token::Indent(blanks));
                    }
                }
                '\r' if self.rest.starts_with("\r\n") => {
                    self.rest = self.rest.get(1..)?;
                    self.starts_line = starts_line;
                }
                ':' => return self.pass(1, Token::Colon),
                ',' => return self.pass(1, Token::Comma),
                '"' => return self.quoted(),
                first if first.is_ascii_graphic() || !first.is_ascii() => return self.word(),
                _ => return self.pass(1, Token::Strange),
            }
        }
    }
}

impl Tokens<'_> {
    fn pass(&mut self, bytes: usize, token: Token) -> Option<Token> {
        self.rest = self.rest.get(bytes..)?;
        Some(token)
    }

    /// A text in quotes is JSON.
    fn quoted(&mut self) -> Option<Token> {
        let inside = self.rest.as_bytes().get(1..)?;
        let mut is_escaped = false;
        let end = inside.iter().position(|byte| {
            let is_end = *byte == b'"' && !is_escaped;
            is_escaped = *byte == b'\\' && !is_escaped;
            is_end
        });
        let length = end.map_or(self.rest.len(), |end| end + 2);
        let text = self.rest.get(..length).and_then(|text| serde_json::from_str(text).ok());
        self.pass(length, text.map_or(Token::Strange, Token::Text))
    }

    /// Colons inside of words stay, as old files have them.
    fn word(&mut self) -> Option<Token> {
        let is_end = |(at, c): (usize, char)| match c {
            ' ' | '\n' | '\r' | ',' => true,
            ':' => self
                .rest
                .get(at + 1..)
                .is_none_or(|rest| rest.is_empty() || rest.starts_with([' ', '\n', '\r', '"'])),
            _ => false,
        };
        let end = self.rest.char_indices().find(|one| is_end(*one)).map_or(self.rest.len(), |(at, _)| at);
        let text = self.rest.get(..end)?.to_owned();
        self.pass(end, Token::Text(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Result<Vec<String>, usize> {
        let tell = |item: Item| {
            format!("{} {} = {}", item.depth, item.names.join("|"), item.value.unwrap_or_default())
        };
        items(text).map(|items| items.into_iter().map(tell).collect())
    }

    #[test]
    fn what_stands_there_counts_and_not_how() {
        let expected = [
            "0 @s/a@^1|b@1 = ",
            "1 version = 1.0.0",
            "1 resolved = https://x/-/y",
            "1 dependencies = ",
            "2 c = ^2",
        ];
        for text in [
            "# x\n\n\"@s/a@^1\", b@1:\n  version \"1.0.0\"\n  resolved \"https://x/-/y\"\n  dependencies:\n    c \"^2\"\n",
            "\"@s/a@^1\", b@1:\r\n  version: \"1.0.0\"\r\n\r\n  \"resolved\" https://x/-/y\r\n  dependencies:\r\n    c ^2",
            "\"@s\\u002fa@^1\",b@1:\n  version 1.0.0\n  # x\n  resolved:\"https:\\/\\/x/-/y\"\n  dependencies: # x\n    c \"^2\"",
            "\"@s/a@^1\", b@1:\n  version \"1.0.0\" resolved:\"https://x/-/y\"\n  dependencies:\n    c \"^2\"",
        ] {
            assert_eq!(told(text).unwrap(), expected, "{text}");
        }
        for (text, line) in [
            ("a:\n   version \"1\"", 2),
            ("a:\n    b \"1\"", 2),
            ("a", 1),
            ("a:\n  \"\\x\" 1", 2),
            ("\"a", 1),
            ("a:\n\tb 1", 2),
        ] {
            assert_eq!(told(text), Err(line), "{text}");
        }
    }
}
