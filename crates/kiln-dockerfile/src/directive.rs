use serde::Serialize;

use crate::{Span, Spanned};

/// A line such as `# syntax=docker/dockerfile:1` at the top of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Directive {
    /// The name in lower case: `syntax`, `escape` or `check`.
    pub name: String,
    /// The value, without blanks around it.
    pub value: Spanned<String>,
    /// The line without its line end.
    pub span: Span,
}

/// The names that are directives; any other ends them.
pub(crate) const NAMES: [&str; 3] = ["syntax", "escape", "check"];

/// Reads the text of a line after `comment`, which starts at `start` in the file.
pub(crate) fn read(line: &str, start: usize, comment: &str) -> Option<(Spanned<String>, Spanned<String>)> {
    let body = line.strip_prefix(comment)?.trim_start();
    let at = start + line.len() - body.len();
    let (name, value) = body.split_once('=')?;
    let name_text = name.trim_end();
    let is_name = name_text.starts_with(|char: char| char.is_ascii_alphabetic())
        && name_text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let value_text = value.trim();
    if !is_name || value_text.is_empty() {
        return None;
    }
    let value_at = at + name.len() + 1 + (value.len() - value.trim_start().len());
    Some((
        Spanned::new(name_text.to_ascii_lowercase(), Span::new(at, at + name_text.len())),
        Spanned::new(value_text.to_owned(), Span::new(value_at, value_at + value_text.len())),
    ))
}

/// The frontend that a file asks for: the first word of `# syntax=…`, of `// syntax=…`, or of the key `syntax` of a file
/// that is JSON. A first line that starts with `#!` is passed over.
pub fn syntax_of(text: &str) -> Option<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = match text.strip_prefix("#!") {
        Some(rest) => rest.split_once('\n').map_or("", |(_, rest)| rest),
        None => text,
    };
    let value = ["#", "//"].iter().find_map(|comment| {
        let lines = text.lines().map_while(|line| read(line, 0, comment));
        let mut known = lines.take_while(|(name, _)| NAMES.contains(&name.value.as_str()));
        known.find(|(name, _)| name.value == "syntax").map(|(_, value)| value.value)
    });
    let value = value.or_else(|| syntax_in_json(text))?;
    value.split(' ').next().map(str::to_owned)
}

/// The string under the key `syntax`, where the text is a JSON object.
fn syntax_in_json(text: &str) -> Option<String> {
    let body = text.trim_start().strip_prefix('{')?;
    let at = body.find("\"syntax\"")?;
    let value = body.get(at + "\"syntax\"".len()..)?.trim_start().strip_prefix(':')?.trim_start();
    let end = value.strip_prefix('"')?.find('"')?;
    value.get(1..=end).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frontend_is_found() {
        assert_eq!(syntax_of("# syntax = docker/dockerfile:1 x\nFROM a").unwrap(), "docker/dockerfile:1");
        assert_eq!(syntax_of("#!/bin/x\n# escape=`\n#syntax=a/b\nFROM a").unwrap(), "a/b");
        assert_eq!(syntax_of("// syntax=a/b\n{}").unwrap(), "a/b");
        assert_eq!(syntax_of("{\"a\": 1, \"syntax\": \"a/b\"}").unwrap(), "a/b");
        for text in ["", "# a comment\n# syntax=a/b\nFROM a", "FROM a\n# syntax=a", "# other=1\n# syntax=a"] {
            assert_eq!(syntax_of(text), None, "{text}");
        }
    }
}
