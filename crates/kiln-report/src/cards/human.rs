use anstyle::{AnsiColor, Style};
use kiln_policy::{ExceptionState, ExceptionUse, Line, Outcome, Scorecard};

use super::summary::{mark, parts, verdict, word};
use crate::Stamp;
use crate::clean::line as plain;
use crate::layout::wrap;

/// Columns before the title: margin, mark, word, id.
const TITLE_AT: usize = 20;
/// Reasons stand beside their titles where that leaves them this many columns.
const BESIDE: usize = 44;
/// Text is never squeezed into less.
const LEAST: usize = 24;

/// What stands before each thing that a line rests on, and before what follows of it.
const DETAIL: &str = "- ";
const INDENT: &str = "  ";

const GROUPS: &[(&str, &str)] =
    &[("IM", "Image"), ("NA", "App"), ("PK", "Packages"), ("SG", "Signature and attestations")];

pub(crate) fn render(card: &Scorecard, stamp: &Stamp) -> String {
    let layout = Layout::of(card, stamp);
    let mut lines = head(card, stamp.width);
    for (start, name) in GROUPS {
        let mut group = card.lines.iter().filter(|line| line.id.starts_with(start)).peekable();
        if group.peek().is_some() {
            lines.push(String::new());
            lines.push(styled(Style::new().bold(), name));
            lines.extend(group.flat_map(|line| layout.line(line)));
        }
    }
    lines.extend(exceptions(&card.exceptions, stamp.width));
    lines.push(String::new());
    lines.push(last(card, stamp));
    lines.join("\n") + "\n"
}

/// The verdict, and by what.
fn last(card: &Scorecard, stamp: &Stamp) -> String {
    let stage = if card.stage == kiln_policy::Stage::Built { ", before signing" } else { "" };
    let has_more = !stamp.explains && card.lines.iter().any(|line| !line.details.is_empty());
    let more = if has_more { "; --explain shows more" } else { "" };
    let verdict = styled(verdict_style(card), verdict(card));
    let by = format!("  (profile {}{stage}, {}{more})", plain(&card.profile), card.today);
    format!("{verdict}  {}{}", card.result(), styled(dim(), &by))
}

/// The image: its name, digest and numbers.
fn head(card: &Scorecard, width: usize) -> Vec<String> {
    let subject = &card.subject;
    let name = styled(Style::new().bold(), &plain(&subject.name));
    let mut lines =
        vec![format!("{name}  {}", plain(&subject.platform)), styled(dim(), &subject.digest.to_string())];
    let mut line = String::new();
    for part in parts(&card.summary) {
        if !line.is_empty() && line.chars().count() + 3 + part.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        line = if line.is_empty() { part } else { format!("{line} · {part}") };
    }
    lines.extend((!line.is_empty()).then_some(line));
    lines
}

/// Where the reasons go.
struct Layout {
    /// Width of the column of titles.
    titles: usize,
    /// Reasons stand beside the titles, not below.
    beside: bool,
    /// First column of the reasons.
    at: usize,
    /// Columns for the reasons.
    room: usize,
    /// What a line rests on is told, too.
    explains: bool,
}

impl Layout {
    fn of(card: &Scorecard, stamp: &Stamp) -> Self {
        let width = stamp.width;
        let titles = card.lines.iter().map(|line| line.title.chars().count()).max().unwrap_or_default();
        let beside = width >= TITLE_AT + titles + 2 + BESIDE;
        let at = if beside { TITLE_AT + titles + 2 } else { TITLE_AT };
        Self { titles, beside, at, room: width.saturating_sub(at).max(LEAST), explains: stamp.explains }
    }

    fn line(&self, line: &Line) -> Vec<String> {
        let style = outcome_style(line.outcome);
        let mark = styled(style, &format!("{} {:8}", mark(line.outcome), word(line.outcome)));
        let title = plain(&line.title);
        let start = format!("  {mark}  {:5} ", line.id);
        let quiet = if line.outcome.passes() { dim() } else { Style::new() };
        let mut reasons = self.reasons(line).into_iter().map(|text| styled(quiet, &text));
        let mut out = Vec::new();
        if self.beside {
            let first = reasons.next().unwrap_or_default();
            out.push(format!("{start}{title:titles$}  {first}", titles = self.titles));
        } else {
            out.push(format!("{start}{title}"));
        }
        let margin = " ".repeat(self.at);
        out.extend(reasons.map(|reason| format!("{margin}{reason}")));
        let cure =
            line.cure.as_deref().map(|cure| wrap(&plain(cure), self.room.saturating_sub(5).max(LEAST)));
        for (at, text) in cure.unwrap_or_default().into_iter().enumerate() {
            let lead = if at == 0 { styled(Style::new().bold(), "fix:") } else { "    ".to_owned() };
            out.push(format!("{margin}{lead} {text}"));
        }
        out
    }
}

impl Layout {
    /// The reason, in as many lines as it takes. A line that passes takes one, unless everything is to be told.
    fn reasons(&self, line: &Line) -> Vec<String> {
        let mut reasons = wrap(&plain(&line.reason), self.room);
        if self.explains {
            let details = line.details.iter().map(|text| wrap(&plain(text), self.room - DETAIL.len()));
            reasons.extend(details.flat_map(|lines| {
                let lead = |at| if at == 0 { DETAIL } else { INDENT };
                lines.into_iter().enumerate().map(move |(at, text)| format!("{}{text}", lead(at)))
            }));
        } else if line.outcome.passes() && reasons.len() > 1 {
            reasons = vec![cut(&plain(&line.reason), self.room)];
        }
        reasons
    }
}

/// The beginning of a text that is too long for a line.
fn cut(text: &str, width: usize) -> String {
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

fn exceptions(all: &[ExceptionUse], width: usize) -> Vec<String> {
    if all.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![String::new(), styled(Style::new().bold(), "Exceptions")];
    for used in all {
        let exception = &used.exception;
        let style = if used.state == ExceptionState::Expired { color(AnsiColor::Yellow) } else { dim() };
        let text = format!(
            "{} for {}, by {}, until {}: {}",
            exception.id, exception.subject, exception.owner, exception.expires, exception.reason
        );
        for (at, text) in wrap(&plain(&text), width.saturating_sub(12).max(LEAST)).into_iter().enumerate() {
            let state = if at == 0 { used.state.as_str() } else { "" };
            lines.push(format!("  {}  {text}", styled(style, &format!("{state:8}"))));
        }
    }
    lines
}

fn outcome_style(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Pass => color(AnsiColor::Green),
        Outcome::Fail => color(AnsiColor::Red).bold(),
        Outcome::Unknown => color(AnsiColor::Yellow).bold(),
        Outcome::NotApplicable => dim(),
        Outcome::Excepted => color(AnsiColor::Cyan),
    }
}

fn verdict_style(card: &Scorecard) -> Style {
    let colour = match (card.passes(), card.has_failed()) {
        (true, _) => AnsiColor::Green,
        (false, true) => AnsiColor::Red,
        (false, false) => AnsiColor::Yellow,
    };
    color(colour).bold()
}

fn color(color: AnsiColor) -> Style {
    Style::new().fg_color(Some(color.into()))
}

fn dim() -> Style {
    Style::new().dimmed()
}

fn styled(style: Style, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{style}{text}{style:#}") }
}
