use kiln_policy::{ExceptionState, Line, Outcome, Scorecard};

use super::summary::verdict;
use crate::Stamp;
use crate::clean;
use crate::documents::github::{Level, said};

pub(crate) fn render(card: &Scorecard, _: &Stamp) -> String {
    let wrong = card.lines.iter().filter(|line| !line.outcome.passes()).map(wrong);
    let excepted = card.lines.iter().filter(|line| line.outcome == Outcome::Excepted);
    let excepted = excepted.map(|line| said(Level::Warning, &title(line), &clean::line(&line.reason)));
    let expired = card.exceptions.iter().filter(|used| used.state == ExceptionState::Expired).map(|used| {
        let exception = &used.exception;
        let text = format!(
            "the exception for {} by {} is over: {}",
            exception.id, exception.owner, exception.expires
        );
        said(Level::Warning, &format!("{} exception", exception.id), &clean::line(&text))
    });
    let level = if card.passes() { Level::Notice } else { Level::Error };
    let name = format!("kiln: {} {}", card.subject.name, verdict(card));
    let last = said(level, &name, &format!("{} ({})", card.result(), card.subject.digest));
    wrong.chain(excepted).chain(expired).chain([last]).collect()
}

fn wrong(line: &Line) -> String {
    let unknown = if line.outcome == Outcome::Unknown { "unknown: " } else { "" };
    let cure = line.cure.as_ref().map(|cure| format!("\nfix: {}", clean::line(cure))).unwrap_or_default();
    said(Level::Error, &title(line), &format!("{unknown}{}{cure}", clean::line(&line.reason)))
}

fn title(line: &Line) -> String {
    format!("{} {}", line.id, line.title)
}
