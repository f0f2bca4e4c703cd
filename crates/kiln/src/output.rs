//! The only place that prints. Standard output is data, standard error is talk.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use anstream::AutoStream;
use anstream::adapter::strip_str;
use kiln_finding::{Class, Failure};

use crate::args::Format;

/// How a command that could finish ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is well. Exit code 0.
    Fine,
    /// A gate said no. Exit code 1.
    Refused,
    /// A gate could not say yes, because something is not known. Exit code 3.
    Unknown,
}

impl Outcome {
    pub(crate) fn exit_code(self) -> ExitCode {
        match self {
            Self::Fine => ExitCode::SUCCESS,
            Self::Refused => ExitCode::from(1),
            Self::Unknown => ExitCode::from(3),
        }
    }
}

/// What standard output said to the first write that failed; nothing is written to it afterwards.
static UNWRITTEN: OnceLock<io::Error> = OnceLock::new();

/// Whether a result was written.
static HAS_RESULT: AtomicBool = AtomicBool::new(false);

/// Writes a result and a line end to standard output. Whether that worked is asked at the end, by [`unwritten`].
pub(crate) fn data(text: &str) {
    HAS_RESULT.store(true, Ordering::Relaxed);
    if UNWRITTEN.get().is_none()
        && let Err(error) = write_data(text)
    {
        drop(UNWRITTEN.set(error));
    }
}

fn write_data(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    if stdout.is_terminal() {
        writeln!(AutoStream::auto(&mut stdout), "{}", harmless(text, true))?;
    } else if text.bytes().all(is_plain) {
        // Looking for styles to leave out takes longer than writing; a document of a scan has none.
        stdout.write_all(text.as_bytes())?;
        stdout.write_all(b"\n")?;
    } else {
        writeln!(AutoStream::auto(&mut stdout), "{text}")?;
    }
    stdout.flush()
}

/// Why a result did not get to standard output. Whoever closed it has read enough, as `head` does, and that is no failure.
pub(crate) fn unwritten() -> Option<Failure> {
    let error = UNWRITTEN.get().filter(|error| error.kind() != io::ErrorKind::BrokenPipe)?;
    let failure =
        Failure::new("kiln.output", Class::Environment, "write the result to standard output".to_owned());
    Some(failure.with_cause(error.to_string()))
}

/// A text of whatever origin, fit for a terminal: without styles, and what would be a command to the terminal is spelled out.
pub(crate) fn plain(text: &str) -> String {
    harmless(&strip_str(text).to_string(), false)
}

/// Spells out what a terminal would obey, or would show in another order than it stands. Styles stay where they are wanted.
fn harmless(text: &str, with_styles: bool) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, command)) = rest.char_indices().find(|(_, char)| is_command(*char)) {
        shown.push_str(&rest[..at]);
        rest = &rest[at..];
        let style = if with_styles { style_length(rest) } else { None };
        match style {
            Some(length) => shown.push_str(&rest[..length]),
            // As in JSON, which this may be.
            None => shown.extend(format!("\\u{:04x}", u32::from(command)).chars()),
        }
        rest = &rest[style.unwrap_or(command.len_utf8())..];
    }
    shown + rest
}

/// A control character, or one that turns the direction of what follows (UAX #9).
fn is_command(char: char) -> bool {
    char.is_control() && !matches!(char, '\n' | '\t')
        || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The bytes of the style that a text starts with (ECMA-48, SGR): intensity, slant, underline and colours of letters. One that
/// hides what follows is none.
fn style_length(text: &str) -> Option<usize> {
    let (numbers, _) = text.strip_prefix("\u{1b}[")?.split_once('m')?;
    let is_known =
        |number: &str| matches!(number.parse(), Ok(0..=4 | 31..=37 | 39 | 91..=97)) || number.is_empty();
    numbers.split(';').all(is_known).then_some(numbers.len() + 3)
}

/// Neither a control character nor the start of one.
fn is_plain(byte: u8) -> bool {
    !byte.is_ascii_control() || matches!(byte, b'\n' | b'\t')
}

/// Text after `start`, in lines as wide as the terminal; all but the first are indented. Words are never cut.
pub(crate) fn wrapped(start: &str, text: &str, indent: usize) -> String {
    let width = terminal_width().max(indent + 20);
    let (mut lines, mut line, mut columns) = (Vec::new(), start.to_owned(), start.chars().count());
    let mut is_first = true;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if !is_first && columns + 1 + length > width {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            (columns, is_first) = (indent, true);
        }
        if !is_first {
            line.push(' ');
            columns += 1;
        }
        line.push_str(word);
        columns += length;
        is_first = false;
    }
    lines.push(line);
    lines.join("\n")
}

/// Says something to the person at the terminal.
pub(crate) fn talk(text: &str) {
    say(&plain(text));
}

/// Standard error that nobody reads is nobody's loss.
fn say(text: &str) {
    drop(writeln!(AutoStream::auto(io::stderr().lock()), "{text}"));
}

/// Says that the cache could not be written: that costs time, and nothing else.
pub(crate) fn trouble(error: &dyn std::error::Error) {
    let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    talk(&format!("warning: what was made is made again the next time: {error}{cause}"));
}

/// A scorecard as text, as wide as the terminal.
pub(crate) fn scorecard(card: &kiln_policy::Scorecard, format: Format) -> String {
    let name = match format {
        Format::Human => "human",
        Format::Json => "json",
    };
    let options = kiln_report::Options { width: terminal_width() };
    kiln_report::render(name, card, options).unwrap_or_default()
}

/// Columns of the terminal that data goes to; 100 where it is none.
fn terminal_width() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stdout());
    size.map_or(100, |size| usize::from(size.ws_col)).clamp(60, 120)
}

/// Prints a failure, in the one form kiln has for it, and yields its exit code. Where a result went out already, no second document
/// follows it.
pub(crate) fn report(failure: &Failure, format: Format) -> ExitCode {
    match format {
        Format::Json if HAS_RESULT.load(Ordering::Relaxed) => report_to_person(failure),
        Format::Human => report_to_person(failure),
        Format::Json => data(&failure_as_json(failure).to_string()),
    }
    ExitCode::from(match failure.class {
        Class::Refused => 1,
        Class::Usage | Class::Config => 2,
        Class::Environment | Class::Remote { .. } | Class::Content | Class::Command => 3,
        Class::Bug => 70,
    })
}

fn report_to_person(failure: &Failure) {
    let bold = anstyle::Style::new().bold();
    let red = bold.fg_color(Some(anstyle::AnsiColor::Red.into()));
    say(&format!("{red}error[{}]{red:#}{bold}: {}{bold:#}", failure.code, plain(&failure.what)));
    for cause in &failure.causes {
        talk(&format!("  cause: {cause}"));
    }
    if let Some(help) = &failure.help {
        talk(&format!("  help: {help}"));
    }
    if failure.class == Class::Bug {
        talk("  help: this is a bug of kiln's; please report it with the command you ran");
    }
}

fn failure_as_json(failure: &Failure) -> serde_json::Value {
    serde_json::json!({
        "error": {
            "code": failure.code,
            "what": failure.what,
            "causes": failure.causes,
            "help": failure.help,
        }
    })
}

/// Columns of text, each as wide as its widest cell.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(|&cell| cell.to_owned()).collect()] }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The lines, without a line end after the last.
    pub(crate) fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells: Vec<String> =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            cells.join("  ").trim_end().to_owned()
        };
        self.rows.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_commands_the_terminal() {
        let title = "a\u{1b}]0;owned\u{7}b\tc\nd\r\u{9b}2J\u{202e}e";
        assert_eq!(harmless(title, true), "a\\u001b]0;owned\\u0007b\tc\nd\\u000d\\u009b2J\\u202ee");
        assert_eq!(plain("\u{1b}[1mbold\u{1b}[0m \u{202e}"), "bold \\u202e");
        let styled = "\u{1b}[1m\u{1b}[31;4mred\u{1b}[m";
        assert_eq!(harmless(styled, true), styled);
        // It would not be seen.
        assert_eq!(harmless("\u{1b}[8mhidden", true), "\\u001b[8mhidden");
        assert_eq!(harmless("\u{1b}[30mx\u{1b}[", true), "\\u001b[30mx\\u001b[");
    }
}
