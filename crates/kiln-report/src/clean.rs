//! The one door for texts of others: what came out of an image, a file or an answer passes here before it is shown.

use anstream::adapter::strip_str;

/// A character that a reader does not see as itself: one that a terminal obeys, that ends a line somewhere, or that changes the
/// order of what stands around it. Sources: ECMA-48, and UAX #9 for the directions.
pub(crate) fn steers(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

fn steers_in_lines(char: char) -> bool {
    steers(char) && !matches!(char, '\n' | '\t')
}

/// The text as one line of a document: nothing in it steers, and nothing ends the line.
pub fn line(text: &str) -> String {
    text.chars().map(|char| if steers(char) { char::REPLACEMENT_CHARACTER } else { char }).collect()
}

/// The text as lines of a document: line ends and tabs stay.
pub fn lines(text: &str) -> String {
    let shown = |char| if steers_in_lines(char) { char::REPLACEMENT_CHARACTER } else { char };
    text.chars().map(shown).collect()
}

/// The text for a terminal: without styles, and what the terminal would obey is spelled out.
pub fn talk(text: &str) -> String {
    spelled_out(&strip_str(text).to_string(), |_| None)
}

/// A result for a terminal: kiln's own styles stay, and what else the terminal would obey is spelled out as JSON does it, which the
/// result may be.
pub fn result(text: &str) -> String {
    spelled_out(text, style_length)
}

fn spelled_out(text: &str, style: impl Fn(&str) -> Option<usize>) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, command)) = rest.char_indices().find(|(_, char)| steers_in_lines(*char)) {
        shown.push_str(&rest[..at]);
        rest = &rest[at..];
        let style = style(rest);
        match style {
            Some(length) => shown.push_str(&rest[..length]),
            None => shown.extend(format!("\\u{:04x}", u32::from(command)).chars()),
        }
        rest = &rest[style.unwrap_or(command.len_utf8())..];
    }
    shown + rest
}

/// The bytes of the style that a text starts with (ECMA-48, SGR): intensity, slant, underline and colours of letters. One that
/// hides what follows is none.
fn style_length(text: &str) -> Option<usize> {
    let (numbers, _) = text.strip_prefix("\u{1b}[")?.split_once('m')?;
    let is_known =
        |number: &str| matches!(number.parse(), Ok(0..=4 | 31..=37 | 39 | 91..=97)) || number.is_empty();
    numbers.split(';').all(is_known).then_some(numbers.len() + 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_what_reads_a_document() {
        let hostile = "a\u{1b}[31m\r\nb\u{202e}é\u{2028}";
        assert_eq!(line(hostile), "a\u{fffd}[31m\u{fffd}\u{fffd}b\u{fffd}é\u{fffd}");
        assert_eq!(lines(hostile), "a\u{fffd}[31m\u{fffd}\nb\u{fffd}é\u{fffd}");
    }

    #[test]
    fn nothing_commands_a_terminal() {
        let title = "a\u{1b}]0;owned\u{7}b\tc\nd\r\u{9b}2J\u{202e}e";
        assert_eq!(result(title), "a\\u001b]0;owned\\u0007b\tc\nd\\u000d\\u009b2J\\u202ee");
        assert_eq!(talk("\u{1b}[1mbold\u{1b}[0m \u{202e}"), "bold \\u202e");
        let styled = "\u{1b}[1m\u{1b}[31;4mred\u{1b}[m";
        assert_eq!(result(styled), styled);
        // It would not be seen.
        assert_eq!(result("\u{1b}[8mhidden"), "\\u001b[8mhidden");
        assert_eq!(result("\u{1b}[30mx\u{1b}["), "\\u001b[30mx\\u001b[");
    }
}
