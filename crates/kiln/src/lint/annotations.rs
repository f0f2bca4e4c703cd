//! Findings as commands in the log of a GitHub workflow, which show them beside the code.

use kiln_lint::Level;

use super::Report;

pub(super) fn render(report: &Report) -> Vec<String> {
    let file = &report.linted.file;
    let path = property(&report.path.display().to_string());
    let line = |finding: &kiln_lint::Finding| {
        let start = file.lines.position(&file.text, finding.span.start);
        let end = file.lines.position(&file.text, finding.span.end);
        let command = match finding.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Info => "notice",
        };
        // GitHub shows columns only where the lines are the same.
        let columns = if start.line == end.line {
            format!(",col={},endColumn={}", start.column, end.column)
        } else {
            String::new()
        };
        let help = finding.help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
        format!(
            "::{command} file={path},line={},endLine={}{columns},title={}::{}",
            start.line,
            end.line,
            property(&format!("{} {}", finding.id, finding.slug)),
            data(&format!("{}{help}", finding.message)),
        )
    };
    report.linted.findings.iter().map(line).collect()
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
