use kiln_policy::{ExceptionState, Line, Outcome, Scorecard};

use crate::glance::verdict;
use crate::text::plain;
use crate::{Format, Options};

/// Annotations of GitHub Actions. Source: its documentation, "Workflow commands".
pub(super) static FORMAT: Format = Format { name: "github", extension: "txt", render };

fn render(card: &Scorecard, _: Options) -> String {
    let wrong = card.lines.iter().filter(|line| !line.outcome.passes()).map(annotation);
    let excepted = card.lines.iter().filter(|line| line.outcome == Outcome::Excepted);
    let excepted = excepted.map(|line| command("warning", &title(line), &line.reason));
    let expired = card.exceptions.iter().filter(|used| used.state == ExceptionState::Expired).map(|used| {
        let exception = &used.exception;
        let text = format!(
            "the exception for {} by {} is over: {}",
            exception.id, exception.owner, exception.expires
        );
        command("warning", &format!("{} exception", exception.id), &text)
    });
    let level = if card.passes() { "notice" } else { "error" };
    let name = format!("kiln: {} {}", card.subject.name, verdict(card));
    let last = command(level, &name, &format!("{} ({})", card.summary(), card.subject.digest));
    wrong.chain(excepted).chain(expired).chain([last]).collect()
}

fn annotation(line: &Line) -> String {
    let unknown = if line.outcome == Outcome::Unknown { "unknown: " } else { "" };
    let cure = line.cure.as_ref().map(|cure| format!("\nfix: {cure}")).unwrap_or_default();
    let message = format!("{unknown}{}", plain(&line.reason)) + &cure;
    command("error", &title(line), &message)
}

fn title(line: &Line) -> String {
    format!("{} {}", line.id, line.title)
}

/// One annotation, with a line end.
pub(crate) fn command(level: &str, title: &str, message: &str) -> String {
    let title = escape(&plain(title)).replace(':', "%3A").replace(',', "%2C");
    let lines: Vec<String> = message.split('\n').map(plain).collect();
    format!("::{level} title={title}::{}\n", escape(&lines.join("\n")))
}

fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}
