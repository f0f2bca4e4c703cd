use kiln_dockerfile::Span;
use kiln_lint::{Finding, RULES};

use super::LintedFile;
use crate::Stamp;
use crate::documents::sarif::{Fix, Level, Location, Outcome, Region, Rule, document};

/// Every rule with its page; a result for everything that is wrong, with its range and its repair.
pub(crate) fn render(files: &[LintedFile<'_>], stamp: &Stamp) -> String {
    let rules: Vec<Rule> = RULES.iter().map(|known| rule(known)).collect();
    let results: Vec<Outcome> = files
        .iter()
        .flat_map(|file| file.linted.findings.iter().map(|finding| result(file, finding)))
        .collect();
    document(&rules, None, &results, stamp)
}

fn rule(rule: &kiln_lint::Rule) -> Rule {
    Rule {
        id: rule.id.to_owned(),
        name: rule.slug,
        short: rule.title.to_owned(),
        help: rule.page.to_owned(),
        is_markdown: true,
        level: level(rule.level),
        properties: None,
    }
}

fn level(level: kiln_lint::Level) -> Level {
    match level {
        kiln_lint::Level::Error => Level::Error,
        kiln_lint::Level::Warning => Level::Warning,
        kiln_lint::Level::Info => Level::Note,
    }
}

fn result(file: &LintedFile<'_>, finding: &Finding) -> Outcome {
    let fix = finding.fix.as_ref().map(|fix| Fix {
        title: fix.title.clone(),
        path: file.path.to_owned(),
        replacements: fix.edits.iter().map(|edit| (region(file, edit.span), edit.text.clone())).collect(),
    });
    let related = finding.labels.iter().map(|(span, text)| location(file, *span, Some(text.clone())));
    Outcome {
        locations: vec![location(file, finding.span, None)],
        related: related.collect(),
        fix,
        ..Outcome::new(finding.id, level(finding.level), LintedFile::told(finding, ". "))
    }
}

fn location(file: &LintedFile<'_>, span: Span, message: Option<String>) -> Location {
    Location { file: Some((file.path.to_owned(), region(file, span))), name: None, message }
}

fn region(file: &LintedFile<'_>, span: Span) -> Region {
    let [start, end] = file.place(span);
    Region::Part { start, end }
}
