use anstyle::{AnsiColor, Style};
use kiln_policy::{ExceptionState, ExceptionUse, Line, Outcome, Scorecard};

use super::summary::{mark, parts, verdict, word};
use crate::Stamp;
use crate::clean::line as plain;
use crate::layout::wrap;

/// Columns before the title: margin, mark, word, id.
const TITLE_AT: usize = 20;
/// Where all is told, reasons stand beside their titles if that leaves them this many columns.
const BESIDE: usize = 44;
/// Text is never squeezed into less.
const LEAST: usize = 24;
/// Over the lines that do not pass.
const STOPPING: &str = "What stops it";

/// What stands before each thing that a line rests on, and before what follows of it.
const DETAIL: &str = "- ";
const INDENT: &str = "  ";

const GROUPS: &[(&str, &str)] =
    &[("IM", "Image"), ("NA", "App"), ("PK", "Packages"), ("SG", "Signature and attestations")];

pub(crate) fn render(card: &Scorecard, stamp: &Stamp) -> String {
    let layout = Layout::of(card, stamp);
    let mut lines = head(card, stamp.width);
    let (passing, stopping): (Vec<&Line>, Vec<&Line>) =
        card.lines.iter().partition(|line| line.outcome.passes());
    lines.extend(layout.group(STOPPING, &stopping));
    for (start, name) in GROUPS {
        let group: Vec<&Line> = passing.iter().filter(|line| line.id.starts_with(start)).copied().collect();
        lines.extend(layout.group(name, &group));
    }
    lines.extend(exceptions(&card.exceptions, stamp.width));
    lines.push(String::new());
    lines.extend(last(card, stamp));
    lines.join("\n") + "\n"
}

/// The verdict, and by what.
fn last(card: &Scorecard, stamp: &Stamp) -> Vec<String> {
    let stage = if card.stage == kiln_policy::Stage::Built { ", before signing" } else { "" };
    let has_more = !stamp.explains && card.lines.iter().any(|line| !line.details.is_empty());
    let more = if has_more { "; --explain shows more" } else { "" };
    let (verdict, result) = (verdict(card), card.result());
    let by = format!("(profile {}{stage}, {}{more})", plain(&card.profile), card.today);
    let is_one_line = verdict.len() + result.len() + by.chars().count() + 4 <= stamp.width;
    let margin = " ".repeat(verdict.len());
    let verdict = format!("{}  {result}", styled(verdict_style(card), verdict));
    if is_one_line {
        vec![format!("{verdict}  {}", styled(dim(), &by))]
    } else {
        vec![verdict, styled(dim(), &format!("{margin}  {by}"))]
    }
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
    /// Columns of the page.
    width: usize,
    /// What a line rests on is told, too.
    explains: bool,
}

impl Layout {
    fn of(card: &Scorecard, stamp: &Stamp) -> Self {
        let titles = card.lines.iter().map(|line| line.title.chars().count()).max().unwrap_or_default();
        Self { titles, width: stamp.width, explains: stamp.explains }
    }

    /// First column of what stands beside titles.
    fn beside(&self) -> usize {
        TITLE_AT + self.titles + 2
    }

    fn group(&self, name: &str, group: &[&Line]) -> Vec<String> {
        if group.is_empty() {
            return Vec::new();
        }
        let head = [String::new(), styled(Style::new().bold(), name)];
        head.into_iter().chain(group.iter().flat_map(|line| self.line(line))).collect()
    }

    /// What passes takes one line, unless everything is to be told.
    fn line(&self, line: &Line) -> Vec<String> {
        if line.outcome.passes() && !self.explains { vec![self.short(line)] } else { self.whole(line) }
    }

    fn start(line: &Line) -> String {
        let mark = format!("{} {:8}", mark(line.outcome), word(line.outcome));
        format!("  {}  {:5} ", styled(outcome_style(line.outcome), &mark), line.id)
    }

    fn short(&self, line: &Line) -> String {
        let room = self.width.saturating_sub(self.beside());
        let title = plain(&line.title);
        let reason = if room < LEAST { String::new() } else { cut(&plain(&line.reason), room) };
        let titles = self.titles;
        let text = format!("{}{title:titles$}  {}", Self::start(line), styled(dim(), &reason));
        text.trim_end().to_owned()
    }

    /// With its reason in as many lines as that takes, and what to do.
    fn whole(&self, line: &Line) -> Vec<String> {
        let is_beside = self.width >= self.beside() + BESIDE;
        let at = if is_beside { self.beside() } else { TITLE_AT };
        let room = self.width.saturating_sub(at).max(LEAST);
        let quiet = if line.outcome.passes() { dim() } else { Style::new() };
        let mut reasons = self.reasons(line, room).into_iter().map(|text| styled(quiet, &text));
        let (start, title) = (Self::start(line), plain(&line.title));
        let mut out = Vec::new();
        if is_beside {
            let first = reasons.next().unwrap_or_default();
            out.push(format!("{start}{title:titles$}  {first}", titles = self.titles));
        } else {
            out.push(format!("{start}{title}"));
        }
        let margin = " ".repeat(at);
        out.extend(reasons.map(|reason| format!("{margin}{reason}")));
        let cure = line.cure.as_deref().map(|cure| wrap(&plain(cure), room.saturating_sub(5).max(LEAST)));
        for (at, text) in cure.unwrap_or_default().into_iter().enumerate() {
            let lead = if at == 0 { styled(Style::new().bold(), "fix:") } else { "    ".to_owned() };
            out.push(format!("{margin}{lead} {text}"));
        }
        out
    }

    fn reasons(&self, line: &Line, room: usize) -> Vec<String> {
        let mut reasons = wrap(&plain(&line.reason), room);
        if self.explains {
            let details = line.details.iter().map(|text| wrap(&plain(text), room - DETAIL.len()));
            reasons.extend(details.flat_map(|lines| {
                let lead = |at| if at == 0 { DETAIL } else { INDENT };
                lines.into_iter().enumerate().map(move |(at, text)| format!("{}{text}", lead(at)))
            }));
        }
        reasons
    }
}

/// A text, or the beginning of one that is too long for a line.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
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
