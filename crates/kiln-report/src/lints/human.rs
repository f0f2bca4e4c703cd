//! Findings for people: the lines of the file, with what is wrong below them.

use annotate_snippets::{AnnotationKind, Element, Group, Level, Patch, Renderer, Snippet};
use kiln_dockerfile::Span;
use kiln_lint::{Finding, Repair};

use super::LintedFile;
use crate::Stamp;
use crate::clean::{line as clean, lines, steers};

/// A change of more lines is told and not shown.
const SHOWN_EDITS: usize = 4;

pub(crate) fn render(files: &[LintedFile<'_>], _: &Stamp) -> String {
    let renderer = Renderer::styled();
    let of_file = |file: &LintedFile<'_>| -> Vec<String> {
        let path = clean(file.path);
        file.linted.findings.iter().map(|finding| one(file, &path, finding, &renderer)).collect()
    };
    files.iter().flat_map(of_file).collect::<Vec<_>>().join("\n\n")
}

fn one(report: &LintedFile<'_>, path: &str, finding: &Finding, renderer: &Renderer) -> String {
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
    let edits: Vec<(Span, String)> = edits.iter().map(|edit| (edit.span, lines(&edit.text))).collect();
    let edit_window = Window::new(report, edits.iter().map(|(span, _)| *span));
    if let Some(fix_title) = &fix_title {
        let heading = Level::HELP.secondary_title(fix_title.as_str());
        groups.push(if edits.len() <= SHOWN_EDITS && !edits.is_empty() {
            let patches =
                edits.iter().map(|(span, text)| Patch::new(edit_window.range(*span), text.as_str()));
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
fn first_line(report: &LintedFile<'_>, span: Span) -> Span {
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
    fn new(report: &LintedFile<'_>, spans: impl Iterator<Item = Span>) -> Self {
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
        let shown = text.get(start..end).unwrap_or_default();
        Self { text: blanked(shown), line, start }
    }

    fn range(&self, span: Span) -> std::ops::Range<usize> {
        let end = self.text.len();
        let start = span.start.saturating_sub(self.start).min(end);
        start..span.end.saturating_sub(self.start).clamp(start, end)
    }
}

/// The text with blanks where something steers: as many bytes, so that spans still fit.
fn blanked(text: &str) -> String {
    let mut chars = text.chars().peekable();
    let mut shown = String::with_capacity(text.len());
    while let Some(char) = chars.next() {
        let ends_line = char == '\n' || char == '\r' && chars.peek() == Some(&'\n');
        if steers(char) && !ends_line && char != '\t' {
            shown.extend(std::iter::repeat_n(' ', char.len_utf8()));
        } else {
            shown.push(char);
        }
    }
    shown
}
