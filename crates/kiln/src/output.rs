//! The only place that prints. Standard output is data, standard error is talk.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use anstream::AutoStream;
use kiln_finding::{Class, Failure, sentence};
use kiln_images::clock::timestamp;
use kiln_proof::advisories::today;
use kiln_report::{Results, Stamp, clean};

use crate::global::Format;

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
        writeln!(AutoStream::auto(&mut stdout), "{}", clean::result(text))?;
    } else if !text.as_bytes().contains(&b'\x1b') {
        // A document for programs has no styles to leave out, and is written as it is.
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

/// Text after `start`, in lines as wide as the terminal; all but the first are indented. Words are never cut.
pub(crate) fn wrapped(start: &str, text: &str, indent: usize) -> String {
    let room = terminal_width().max(indent + 20) - indent;
    format!("{start}{}", kiln_report::wrap(text, room).join(&format!("\n{}", " ".repeat(indent))))
}

/// Columns before the text of a row.
const ROW_TEXT_AT: usize = 11;

/// `  what     text`, in as many lines as the text takes.
pub(crate) fn row(what: &str, text: &str) -> String {
    wrapped(&format!("  {what:<width$}", width = ROW_TEXT_AT - 2), text, ROW_TEXT_AT)
}

/// Says something to the person at the terminal.
pub(crate) fn talk(text: &str) {
    say(&clean::talk(text));
}

/// The same of what may be longer than a line: on a terminal, what follows `start` is broken between words, and stands below itself.
pub(crate) fn talk_wrapped(start: &str, text: &str) {
    let Some(width) = width_of(io::stderr()) else { return talk(&format!("{start}{text}")) };
    let indent = start.chars().count();
    let lines = kiln_report::wrap(&clean::talk(text), width.saturating_sub(indent));
    say(&format!("{start}{}", lines.join(&format!("\n{}", " ".repeat(indent)))));
}

/// Standard error that nobody reads is nobody's loss.
fn say(text: &str) {
    drop(writeln!(AutoStream::auto(io::stderr().lock()), "{text}"));
}

/// Says that the cache could not be written: that costs time, and nothing else.
pub(crate) fn trouble(error: &dyn std::error::Error) {
    let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    let why = sentence(&error.to_string());
    talk(&format!("warning: what was made is made again the next time: {why}{cause}"));
}

/// Writes a result in the format that was asked for. Commands take only formats that know their results.
pub(crate) fn results(results: &Results<'_>, format: &kiln_report::Format, explains: bool) {
    let stamp = Stamp {
        today: today(),
        time: timestamp(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        width: terminal_width(),
        explains,
    };
    let text = format.render(results, &stamp).expect("the table of commands lets no other format come here");
    if !text.is_empty() {
        data(&text);
    }
}

/// Columns of the terminal that data goes to; 100 where it is none.
fn terminal_width() -> usize {
    width_of(io::stdout()).unwrap_or(100)
}

fn width_of(stream: impl std::os::fd::AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    Some(usize::from(size.ws_col).clamp(60, 120))
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
    say(&format!("{red}error[{}]{red:#}{bold}: {}{bold:#}", failure.code, clean::talk(&failure.sentence())));
    for cause in &failure.causes {
        talk(&format!("  cause: {}", sentence(cause)));
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
            "message": failure.sentence(),
            "causes": failure.causes,
            "help": failure.help,
        }
    })
}
