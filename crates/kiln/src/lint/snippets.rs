//! Findings for people: the lines of the file, with what is wrong below them.

use annotate_snippets::{AnnotationKind, Element, Group, Level, Patch, Renderer, Snippet};
use kiln_dockerfile::Span;
use kiln_lint::{Finding, Repair};

use super::Report;

/// A change of more lines is told and not shown.
const SHOWN_EDITS: usize = 4;

pub(super) fn render(report: &Report) -> String {
    let path = report.path.display().to_string();
    let renderer = Renderer::styled();
    let shown: Vec<String> =
        report.linted.findings.iter().map(|finding| one(report, &path, finding, &renderer)).collect();
    shown.join("\n\n") + "\n"
}

fn one(report: &Report, path: &str, finding: &Finding, renderer: &Renderer) -> String {
    let level = match finding.level {
        kiln_lint::Level::Error => Level::ERROR,
        kiln_lint::Level::Warning => Level::WARNING,
        kiln_lint::Level::Info => Level::NOTE,
    };
    let title = clean(&finding.message);
    let spans = std::iter::once(finding.span).chain(finding.labels.iter().map(|(span, _)| *span));
    let window = Window::new(report, spans);
    let labels: Vec<(Span, String)> =
        finding.labels.iter().map(|(span, text)| (*span, clean(text))).collect();
    let mut snippet = Snippet::source(window.text.as_str()).path(path).line_start(window.line);
    snippet =
        snippet.annotation(AnnotationKind::Primary.span(window.range(first_line(report, finding.span))));
    for (span, text) in &labels {
        let span = window.range(first_line(report, *span));
        snippet = snippet.annotation(AnnotationKind::Context.span(span).label(text.as_str()));
    }
    let help = finding.help.as_deref().map(clean);
    let mut elements: Vec<Element<'_>> = vec![snippet.into()];
    let fix_title = finding.fix.as_ref().map(|fix| {
        let tier = if fix.repair == Repair::Safe { "--fix" } else { "--fix --unsafe" };
        format!("{} ({tier})", clean(&fix.title))
    });
    if fix_title.is_none()
        && let Some(help) = &help
    {
        elements.push(Level::HELP.message(help.as_str()).into());
    }
    let id = format!("{} {}", finding.id, finding.slug);
    let mut groups = vec![level.primary_title(title.as_str()).id(id.as_str()).elements(elements)];
    let edits = finding.fix.as_ref().map(|fix| fix.edits.as_slice()).unwrap_or_default();
    let edit_window = Window::new(report, edits.iter().map(|edit| edit.span));
    if let Some(fix_title) = &fix_title {
        let heading = Level::HELP.secondary_title(fix_title.as_str());
        groups.push(if edits.len() <= SHOWN_EDITS && !edits.is_empty() {
            let patches =
                edits.iter().map(|edit| Patch::new(edit_window.range(edit.span), edit.text.as_str()));
            heading.element(
                Snippet::source(edit_window.text.as_str())
                    .path(path)
                    .line_start(edit_window.line)
                    .patches(patches),
            )
        } else {
            Group::with_title(heading)
        });
    }
    renderer.render(&groups)
}

/// Of an instruction over many lines, the first.
fn first_line(report: &Report, span: Span) -> Span {
    let text = &report.linted.file.text;
    let length = span.of(text).find('\n').unwrap_or(span.len());
    let length =
        span.of(text).get(..length).map_or(length, |line| line.trim_end_matches(['\r', '\\', ' ']).len());
    Span::new(span.start, span.start + length)
}

/// Whole lines of the file around some places: rendering looks at no more than that.
struct Window {
    text: String,
    line: usize,
    start: usize,
}

impl Window {
    fn new(report: &Report, spans: impl Iterator<Item = Span>) -> Self {
        let text = &report.linted.file.text;
        let (mut first, mut last) = (usize::MAX, 0);
        for span in spans {
            first = first.min(span.start);
            last = last.max(span.end);
        }
        let first = first.min(last).min(text.len());
        let start = text.get(..first).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
        let end = text.get(last..).and_then(|rest| rest.find('\n')).map_or(text.len(), |at| last + at + 1);
        let line = report.linted.file.lines.line(start) as usize;
        // Control characters of a hostile file must not reach the terminal; bytes stay as many.
        let shown = text.get(start..end).unwrap_or_default();
        let text = shown.chars().map(|char| {
            if is_unsafe(char) { ' '.to_string().repeat(char.len_utf8()) } else { char.to_string() }
        });
        Self { text: text.collect(), line, start }
    }

    fn range(&self, span: Span) -> std::ops::Range<usize> {
        let end = self.text.len();
        let start = span.start.saturating_sub(self.start).min(end);
        start..span.end.saturating_sub(self.start).clamp(start, end)
    }
}

fn is_unsafe(char: char) -> bool {
    char.is_control() && !matches!(char, '\n' | '\r' | '\t')
}

/// A text without what a terminal would take for a command.
fn clean(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}
