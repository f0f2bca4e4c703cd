//! Findings in SARIF 2.1.0, with their ranges and repairs.

use kiln_dockerfile::Span;
use kiln_lint::{Finding, Level, RULES};
use serde_json::{Value, json};

use super::Report;

pub(super) fn render(reports: &[Report]) -> Value {
    let rules: Vec<Value> = RULES
        .iter()
        .map(|rule| {
            json!({
                "id": rule.id,
                "name": rule.slug,
                "shortDescription": {"text": rule.title},
                "help": {"text": rule.page, "markdown": rule.page},
                "defaultConfiguration": {"level": level(rule.level)},
            })
        })
        .collect();
    let results: Vec<Value> = reports
        .iter()
        .flat_map(|report| report.linted.findings.iter().map(|finding| result(report, finding)))
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "kiln", "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Info => "note",
    }
}

fn result(report: &Report, finding: &Finding) -> Value {
    let message = match &finding.help {
        Some(help) => format!("{}. {help}", finding.message),
        None => finding.message.clone(),
    };
    let mut result = json!({
        "ruleId": finding.id,
        "ruleIndex": RULES.iter().position(|rule| rule.id == finding.id),
        "level": level(finding.level),
        "message": {"text": message},
        "locations": [location(report, finding.span, None)],
    });
    if !finding.labels.is_empty() {
        let related = finding.labels.iter().map(|(span, text)| location(report, *span, Some(text)));
        result["relatedLocations"] = related.collect();
    }
    if let Some(fix) = &finding.fix {
        let replacements: Vec<Value> = fix
            .edits
            .iter()
            .map(|edit| json!({"deletedRegion": region(report, edit.span), "insertedContent": {"text": edit.text}}))
            .collect();
        result["fixes"] = json!([{
            "description": {"text": fix.title},
            "artifactChanges": [{"artifactLocation": artifact(report), "replacements": replacements}],
        }]);
    }
    result
}

fn artifact(report: &Report) -> Value {
    let path = report.path.to_string_lossy().replace('\\', "/");
    let escaped: String = path
        .trim_start_matches("./")
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect();
    let uri = if escaped.starts_with('/') { format!("file://{escaped}") } else { escaped };
    json!({"uri": uri})
}

fn location(report: &Report, span: Span, text: Option<&str>) -> Value {
    let mut location =
        json!({"physicalLocation": {"artifactLocation": artifact(report), "region": region(report, span)}});
    if let Some(text) = text {
        location["message"] = json!({"text": text});
    }
    location
}

fn region(report: &Report, span: Span) -> Value {
    let file = &report.linted.file;
    let start = file.lines.position(&file.text, span.start);
    let end = file.lines.position(&file.text, span.end);
    json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    })
}
