//! Stanzas of `Key: value` lines, as dpkg and apk keep them, read as a stream.

use std::io::{BufRead, BufReader, Read};

/// Longest line that is kept, in bytes; the rest of a longer one is dropped (lists of files reach megabytes).
const MAX_LINE: usize = 1 << 20;

/// Fields that are kept of one stanza; that of the package with the most files (a kernel's firmware) has some thousands.
const MAX_FIELDS: usize = 200_000;

/// Calls `stanza` with the fields of each stanza that `keep` wants. Continuation lines are dropped. Stanzas end at blank lines.
pub(super) fn stanzas(
    content: &mut dyn Read,
    keep: fn(&str) -> bool,
    mut stanza: impl FnMut(&[(String, String)]),
) -> Result<(), String> {
    let mut input = BufReader::with_capacity(64 << 10, content);
    let mut fields = Vec::new();
    let mut line = Vec::new();
    while read_line(&mut input, &mut line).map_err(|error| error.to_string())? {
        if line.is_empty() {
            if !fields.is_empty() {
                stanza(&fields);
                fields.clear();
            }
            continue;
        }
        let text = String::from_utf8_lossy(&line);
        if text.starts_with([' ', '\t']) {
            continue;
        }
        if let Some((key, value)) = text.split_once(':').filter(|(key, _)| keep(key)) {
            if fields.len() == MAX_FIELDS {
                return Err(format!("one of its entries has more than {MAX_FIELDS} fields"));
            }
            fields.push((key.to_owned(), value.trim().to_owned()));
        }
    }
    if !fields.is_empty() {
        stanza(&fields);
    }
    Ok(())
}

/// The value of a field.
pub(super) fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
        .filter(|value| !value.is_empty())
}

/// Reads a line without its end; false at the end of the stream.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let piece = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
        let room = MAX_LINE.saturating_sub(line.len()).min(piece.len());
        line.extend_from_slice(piece.get(..room).unwrap_or_default());
        let used = end.map_or(buffer.len(), |end| end + 1);
        input.consume(used);
        if end.is_some() {
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            return Ok(true);
        }
    }
}
