//! Dockerfiles looked at: finding them, what lies around them, and asking kiln-lint.

mod around;
mod choice;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use kiln_dockerfile::Stages;
use kiln_finding::{Class, Failure};
use kiln_lint::{Context as Around, LintSettings, Linted};
use kiln_report::{LintedFile, Results, lint_summary};

pub(crate) use self::choice::Choice;
use crate::context::Context;
use crate::output;

/// A file, what lies around it, and what is wrong with it.
pub(crate) struct LintReport {
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
    settings: &LintSettings,
) -> Result<Vec<LintReport>, Failure> {
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
    let mut reports: Vec<(usize, Result<LintReport, Failure>)> = if workers < 2 {
        work()
    } else {
        std::thread::scope(|scope| {
            let handles: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            handles.into_iter().flat_map(|handle| handle.join().expect("rules do not panic")).collect()
        })
    };
    reports.sort_by_key(|(at, _)| *at);
    let reports: Vec<LintReport> = reports.into_iter().map(|(_, report)| report).collect::<Result<_, _>>()?;
    has_target(&reports, settings)?;
    Ok(reports)
}

/// The stage that is asked for is in one of the files, at least.
fn has_target(reports: &[LintReport], settings: &LintSettings) -> Result<(), Failure> {
    let Some(target) = settings.target.as_deref().filter(|_| !reports.is_empty()) else { return Ok(()) };
    let stages: Vec<Stages<'_>> = reports.iter().map(|report| report.linted.file.stages()).collect();
    if stages.iter().any(|stages| stages.target(Some(target)).is_some()) {
        return Ok(());
    }
    let names: BTreeSet<&str> =
        stages.iter().flat_map(|stages| &stages.list).filter_map(|stage| stage.name.as_deref()).collect();
    let failure = Failure::usage(format!("find the stage `{target}`: no file has one of that name"));
    Err(match kiln_finding::did_you_mean(target, names.iter().copied()) {
        Some(guess) => failure.with_help(guess),
        None if names.is_empty() => failure,
        None => {
            let names: Vec<&str> = names.into_iter().collect();
            failure.with_help(format!("the stages are {}", names.join(", ")))
        }
    })
}

fn one(path: &Path, folder: Option<&Path>, settings: &LintSettings) -> Result<LintReport, Failure> {
    let bytes =
        kiln_disk::read_given(path, kiln_dockerfile::FILE_MAX).map_err(|error| failed(path, &error))?;
    let text = String::from_utf8_lossy(&bytes);
    let is_text = matches!(text, std::borrow::Cow::Borrowed(_));
    let around = around::collect(path, &text, folder)?;
    let linted = kiln_lint::lint(&text, around.as_ref(), settings);
    Ok(LintReport { path: path.to_owned(), around, is_text, linted })
}

fn failed(path: &Path, cause: &dyn std::fmt::Display) -> Failure {
    Failure::new("kiln.read", Class::Environment, format!("read {}", path.display()))
        .with_cause(cause.to_string())
}

/// Writes the reports to standard output, and for people a count to standard error.
pub(crate) fn show(reports: &[LintReport], context: &Context) {
    let paths: Vec<String> = reports.iter().map(|report| report.path.display().to_string()).collect();
    let files: Vec<LintedFile<'_>> = reports
        .iter()
        .zip(&paths)
        .map(|(report, path)| LintedFile {
            path,
            has_context: report.around.is_some(),
            linted: &report.linted,
        })
        .collect();
    output::results(&Results::Lint(&files), context.output, false);
    if context.output.name == "human" && !context.quiet {
        output::talk(&lint_summary(&files));
    }
}
