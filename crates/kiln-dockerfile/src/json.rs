//! The JSON that a Dockerfile may hold: an array of strings, with the place of each.

use std::ops::Range;

/// Deeper nesting is no array of strings anyway.
const MAX_DEPTH: usize = 32;

/// What a text is, read as JSON.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Array {
    /// No JSON array; a shell command, then.
    None,
    /// An array that holds something else than strings; that is an error.
    NotOfStrings,
    /// The strings and where each is written, with its quotes.
    Strings(Vec<(Range<usize>, String)>),
}

/// Reads `text`, all of it, as an array of strings.
pub(crate) fn array(text: &str) -> Array {
    let mut reader = Reader { text, at: 0 };
    reader.space();
    if !reader.eat(b'[') {
        return Array::None;
    }
    let mut strings = Vec::new();
    let mut only_strings = true;
    reader.space();
    if !reader.eat(b']') {
        loop {
            reader.space();
            let start = reader.at;
            if reader.peek() == Some(b'"') {
                let Some(value) = reader.string() else { return Array::None };
                strings.push((start..reader.at, value));
            } else {
                only_strings = false;
                if reader.value(0).is_none() {
                    return Array::None;
                }
            }
            reader.space();
            if reader.eat(b']') {
                break;
            }
            if !reader.eat(b',') {
                return Array::None;
            }
        }
    }
    reader.space();
    match reader.at == text.len() {
        true if only_strings => Array::Strings(strings),
        true => Array::NotOfStrings,
        false => Array::None,
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// A value that is not kept.
    fn value(&mut self, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        match self.peek()? {
            b'"' => self.string().map(|_| ()),
            b'[' => self.items(b']', depth, false),
            b'{' => self.items(b'}', depth, true),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.number(),
        }
    }

    fn items(&mut self, end: u8, depth: usize, has_keys: bool) -> Option<()> {
        self.at += 1;
        self.space();
        if self.eat(end) {
            return Some(());
        }
        loop {
            self.space();
            if has_keys {
                self.string()?;
                self.space();
                self.eat(b':').then_some(())?;
                self.space();
            }
            self.value(depth + 1)?;
            self.space();
            if self.eat(end) {
                return Some(());
            }
            self.eat(b',').then_some(())?;
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.text.get(self.at..)?.starts_with(word).then(|| self.at += word.len())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn number(&mut self) -> Option<()> {
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _ = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        Some(())
    }

    fn string(&mut self) -> Option<String> {
        self.eat(b'"').then_some(())?;
        let mut value = String::new();
        loop {
            let rest = self.text.get(self.at..)?;
            let char = rest.chars().next()?;
            self.at += char.len_utf8();
            match char {
                '"' => return Some(value),
                '\\' => value.push(self.escape()?),
                char if (char as u32) < 0x20 => return None,
                char => value.push(char),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let byte = self.peek()?;
        self.at += 1;
        Some(match byte {
            b'"' | b'\\' | b'/' => byte as char,
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.four_digits()?;
                if (0xD800..0xDC00).contains(&first)
                    && self.text.get(self.at..).is_some_and(|rest| rest.starts_with("\\u"))
                {
                    let before = self.at;
                    self.at += 2;
                    let second = self.four_digits()?;
                    let low = second.wrapping_sub(0xDC00);
                    if low < 0x400 {
                        return char::from_u32(0x10000 + ((first - 0xD800) << 10) + low);
                    }
                    self.at = before;
                }
                char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return None,
        })
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(text: &str) -> Option<Vec<String>> {
        match array(text) {
            Array::Strings(strings) => Some(strings.into_iter().map(|(_, value)| value).collect()),
            _ => None,
        }
    }

    #[test]
    fn strings_are_read() {
        assert_eq!(strings("[]"), Some(vec![]));
        assert_eq!(strings(r#" [ "a" , "b\n\u00e4\ud83d\ude00" ] "#).unwrap(), ["a", "b\nä😀"]);
        assert_eq!(array("[\"a\"]"), Array::Strings(vec![(1..4, "a".to_owned())]));
    }

    #[test]
    fn what_is_no_array_is_a_command() {
        for text in ["", "a", "['a']", "[\"a\",]", "[\"a\"] x", "[\"a", "[a]", "[\"\\x\"]", "[ -f x ]"] {
            assert_eq!(array(text), Array::None, "{text}");
        }
        assert_eq!(array(&"[".repeat(100_000)), Array::None);
    }

    #[test]
    fn other_values_are_refused() {
        for text in ["[1]", "[\"a\", null]", "[[\"a\"]]", "[{\"a\": -1.5e+3}]", "[true, false]"] {
            assert_eq!(array(text), Array::NotOfStrings, "{text}");
        }
    }
}
