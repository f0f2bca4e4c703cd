//! Dockerfiles looked at: what lies around them, asking kiln-lint, and showing what it says.

mod annotations;
mod around;
mod sarif;
mod snippets;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use kiln_finding::{Class, Failure};
use kiln_lint::{Context as Around, Level, Linted, Profile, RULES, Settings};
use serde::Deserialize;
use serde_json::json;

use crate::args::Output;
use crate::output;

/// `[lint]` of kiln.toml, and the same on the command line.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Choice {
    /// Where the image will run: `docker` or `kubernetes`.
    pub(crate) profile: Option<Profile>,
    /// Ids or slugs of rules to ask besides.
    pub(crate) enable: Vec<String>,
    /// Ids or slugs of rules not to ask.
    pub(crate) disable: Vec<String>,
}

impl Choice {
    /// What is asked today.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        let mut settings = Settings::new(jiff::Timestamp::now().strftime("%Y-%m-%d").to_string());
        settings.profile = self.profile;
        for (names, set) in [(&self.enable, &mut settings.enable), (&self.disable, &mut settings.disable)] {
            for name in names {
                let rule = RULES.iter().find(|rule| rule.id.eq_ignore_ascii_case(name) || rule.slug == name);
                let rule = rule.ok_or_else(|| {
                    let known = RULES.iter().flat_map(|rule| [rule.id, rule.slug]);
                    let guess = kiln_dockerfile::closest(name, known);
                    let failure = Failure::usage(format!("find a rule called `{name}`"));
                    failure.with_help(guess.map_or_else(
                        || "`kiln explain` lists the ids".to_owned(),
                        |guess| format!("did you mean `{guess}`?"),
                    ))
                })?;
                set.insert(rule.id.to_owned());
            }
        }
        Ok(settings)
    }
}

/// A file, what lies around it, and what is wrong with it.
pub(crate) struct Report {
    pub(crate) path: PathBuf,
    pub(crate) around: Option<Around>,
    /// Its bytes are text, so it can be written again.
    pub(crate) is_text: bool,
    pub(crate) linted: Linted,
}

/// Looks at files, several at once; the reports come in the order of the files.
pub(crate) fn lint(
    files: &[PathBuf],
    folder: Option<&Path>,
    settings: &Settings,
) -> Result<Vec<Report>, Failure> {
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(files.len());
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(path) = files.get(at) else { return done };
            done.push((at, one(path, folder, settings)));
        }
    };
    let mut reports: Vec<(usize, Result<Report, Failure>)> = if workers < 2 {
        work()
    } else {
        std::thread::scope(|scope| {
            let handles: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            handles.into_iter().flat_map(|handle| handle.join().expect("rules do not panic")).collect()
        })
    };
    reports.sort_by_key(|(at, _)| *at);
    reports.into_iter().map(|(_, report)| report).collect()
}

fn one(path: &Path, folder: Option<&Path>, settings: &Settings) -> Result<Report, Failure> {
    let bytes = std::fs::read(path).map_err(|error| failed(path, &error))?;
    let text = String::from_utf8_lossy(&bytes);
    let is_text = matches!(text, std::borrow::Cow::Borrowed(_));
    let around = around::collect(path, &text, folder)?;
    let linted = kiln_lint::lint(&text, around.as_ref(), settings);
    Ok(Report { path: path.to_owned(), around, is_text, linted })
}

fn failed(path: &Path, cause: &dyn std::fmt::Display) -> Failure {
    Failure::new("kiln.read", Class::Environment, format!("read {}", path.display()))
        .with_cause(cause.to_string())
}

/// Writes the reports to standard output, and a count to standard error.
pub(crate) fn show(reports: &[Report], form: Output, quiet: bool) {
    match form {
        Output::Human => {
            for report in reports.iter().filter(|report| !report.linted.findings.is_empty()) {
                output::data(&snippets::render(report));
            }
        }
        Output::Json => output::data(&json!(reports.iter().map(as_json).collect::<Vec<_>>()).to_string()),
        Output::Sarif => output::data(&sarif::render(reports).to_string()),
        // The table of commands lets no other form come here.
        _ => {
            let lines: Vec<String> = reports.iter().flat_map(annotations::render).collect();
            if !lines.is_empty() {
                output::data(&lines.join("\n"));
            }
        }
    }
    if form == Output::Human && !quiet {
        output::talk(&summary(reports));
    }
}

fn summary(reports: &[Report]) -> String {
    let count = |level| {
        let findings = reports.iter().flat_map(|report| &report.linted.findings);
        findings.filter(|finding| finding.level == level).count()
    };
    let files = if reports.len() == 1 { "1 file".to_owned() } else { format!("{} files", reports.len()) };
    let found: Vec<String> = [(Level::Error, "error"), (Level::Warning, "warning"), (Level::Info, "note")]
        .into_iter()
        .map(|(level, name)| (count(level), name))
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}{}", if count == 1 { "" } else { "s" }))
        .collect();
    let found = if found.is_empty() { "nothing to say".to_owned() } else { found.join(", ") };
    let fixable = reports
        .iter()
        .flat_map(|report| &report.linted.findings)
        .filter(|finding| finding.fix.is_some())
        .count();
    let help = if fixable > 0 {
        format!(
            "; `kiln lint --fix` repairs some of it ({fixable} with --unsafe), `kiln explain ID` says why"
        )
    } else {
        String::new()
    };
    format!("{files}: {found}{help}")
}

fn as_json(report: &Report) -> serde_json::Value {
    let file = &report.linted.file;
    let place = |span: kiln_dockerfile::Span| {
        json!({
            "start": file.lines.position(&file.text, span.start),
            "end": file.lines.position(&file.text, span.end),
            "bytes": [span.start, span.end],
        })
    };
    let finding = |finding: &kiln_lint::Finding| {
        json!({
            "id": finding.id,
            "slug": finding.slug,
            "level": finding.level,
            "message": finding.message,
            "help": finding.help,
            "place": place(finding.span),
            "labels": finding.labels.iter().map(|(span, text)| json!({"place": place(*span), "text": text})).collect::<Vec<_>>(),
            "fix": finding.fix.as_ref().map(|fix| json!({
                "tier": fix.repair,
                "title": fix.title,
                "edits": fix.edits.iter().map(|edit| json!({"place": place(edit.span), "text": edit.text})).collect::<Vec<_>>(),
            })),
        })
    };
    json!({
        "path": report.path,
        "has_context": report.around.is_some(),
        "findings": report.linted.findings.iter().map(finding).collect::<Vec<_>>(),
        "allowed": report.linted.allowed.iter().map(finding).collect::<Vec<_>>(),
    })
}
