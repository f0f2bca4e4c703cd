//! The texts in the lists called `sources`, wherever they stand in a JSON document: read as a stream, holding one text at a time.

use std::io::{self, BufRead};

/// Bytes of a text that are held: its end, which is what tells of a path.
const HELD: usize = 4 << 10;

/// Shows `take` each of them. What begins before the first bracket is no JSON, and is passed over; what is no JSON after it ends nothing.
pub(super) fn sources(mut content: impl BufRead, mut take: impl FnMut(&str)) -> io::Result<()> {
    let mut place = Place::default();
    while let Some(byte) = next(&mut content)? {
        if byte == b'"' {
            let text = text(&mut content)?;
            let text = String::from_utf8_lossy(&text);
            if place.depth > 0 {
                take(&text);
            }
            place.text(&text);
        } else if !byte.is_ascii_whitespace() {
            place.sign(byte);
        }
    }
    Ok(())
}

/// How much of `"sources": [` was met last.
#[derive(Default, PartialEq)]
enum Met {
    #[default]
    Nothing,
    Name,
    Colon,
}

#[derive(Default)]
struct Place {
    met: Met,
    /// How many lists are open, from one called `sources` inwards.
    depth: usize,
}

impl Place {
    fn text(&mut self, text: &str) {
        self.met = if text == "sources" { Met::Name } else { Met::Nothing };
    }

    fn sign(&mut self, sign: u8) {
        match sign {
            b'[' if self.depth > 0 || self.met == Met::Colon => self.depth += 1,
            b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        let is_colon = sign == b':' && self.met == Met::Name;
        self.met = if is_colon { Met::Colon } else { Met::Nothing };
    }
}

fn next(content: &mut impl BufRead) -> io::Result<Option<u8>> {
    let byte = content.fill_buf()?.first().copied();
    content.consume(usize::from(byte.is_some()));
    Ok(byte)
}

/// The text up to its closing quote, without escapes.
fn text(content: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut held = Vec::new();
    loop {
        let buffer = content.fill_buf()?;
        let end = memchr::memchr2(b'"', b'\\', buffer);
        let plain = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
        held.extend_from_slice(plain.get(plain.len().saturating_sub(HELD)..).unwrap_or_default());
        let (passed, is_over) = (plain.len(), buffer.is_empty());
        content.consume(passed);
        if held.len() > 2 * HELD {
            held.drain(..held.len() - HELD);
        }
        if is_over || end.is_some() && next(content)? == Some(b'"') {
            return Ok(held);
        }
        if end.is_some() {
            escaped(content, &mut held)?;
        }
    }
}

/// What stands after a backslash.
fn escaped(content: &mut impl BufRead, held: &mut Vec<u8>) -> io::Result<()> {
    match next(content)? {
        Some(b'u') => {
            let mut unit = 0;
            for _ in 0..4 {
                let digit = next(content)?.and_then(|byte| char::from(byte).to_digit(16));
                unit = unit * 16 + digit.unwrap_or_default();
            }
            let char = char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER);
            held.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
        }
        // No path holds one that stands for a control character.
        Some(byte @ (b'"' | b'\\' | b'/')) => held.push(byte),
        Some(_) => held.push(b' '),
        None => {}
    }
    Ok(())
}
