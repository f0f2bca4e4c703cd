use kiln_dockerfile::Span;
use kiln_lint::Finding;
use serde_json::{Value, json};

use super::LintedFile;
use crate::Stamp;

/// A list of files, each with what is wrong in it.
pub(crate) fn render(files: &[LintedFile<'_>], _: &Stamp) -> String {
    json!(files.iter().map(file).collect::<Vec<_>>()).to_string()
}

fn file(file: &LintedFile<'_>) -> Value {
    let all = |findings: &[Finding]| findings.iter().map(|finding| one(file, finding)).collect::<Vec<_>>();
    json!({
        "path": file.path,
        "has_context": file.has_context,
        "findings": all(&file.linted.findings),
        "allowed": all(&file.linted.allowed),
    })
}

fn one(file: &LintedFile<'_>, finding: &Finding) -> Value {
    let labels = finding.labels.iter().map(|(span, text)| json!({"place": place(file, *span), "text": text}));
    let fix = finding.fix.as_ref().map(|fix| {
        let edits = fix.edits.iter().map(|edit| json!({"place": place(file, edit.span), "text": edit.text}));
        json!({"tier": fix.repair, "title": fix.title, "edits": edits.collect::<Vec<_>>()})
    });
    json!({
        "id": finding.id,
        "slug": finding.slug,
        "level": finding.level,
        "message": finding.message,
        "help": finding.help,
        "place": place(file, finding.span),
        "labels": labels.collect::<Vec<_>>(),
        "fix": fix,
    })
}

fn place(file: &LintedFile<'_>, span: Span) -> Value {
    let [start, end] = file.place(span).map(|(line, column)| json!({"line": line, "column": column}));
    json!({"start": start, "end": end, "bytes": [span.start, span.end]})
}
