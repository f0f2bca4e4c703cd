use crate::clean::line;

/// Stands after what would make a link or a mention, and is not seen.
const NOTHING: char = '\u{200b}';

/// The text as text: no markup, link, mention or cell begins in it.
pub(crate) fn escape(text: &str) -> String {
    let text = line(text);
    let mut out = String::with_capacity(text.len());
    for (at, char) in text.char_indices() {
        match char {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '~' | '!' => out.extend(['\\', char]),
            // Some pages look for numbers of issues after all else is done.
            '#' => out.extend(['\\', char, NOTHING]),
            '@' => out.extend([char, NOTHING]),
            // Addresses become links without any markup (GitHub Flavored Markdown, "Autolinks").
            ':' if text[at..].starts_with("://") => out.extend([char, NOTHING]),
            '.' if is_www(text.as_bytes(), at) => out.extend([NOTHING, char]),
            _ => out.push(char),
        }
    }
    out
}

fn is_www(text: &[u8], end: usize) -> bool {
    let before = end.checked_sub(3).and_then(|start| text.get(start..end));
    before.is_some_and(|before| before.eq_ignore_ascii_case(b"www"))
}

/// The text as a block of code, indented by `columns`: nothing in it is markup.
pub(crate) fn code(text: &str, columns: usize) -> String {
    let margin = " ".repeat(columns);
    let lines: Vec<String> = text.lines().map(|code| margin.clone() + &line(code) + "\n").collect();
    lines.concat()
}
