use kiln_lint::{Finding, Level};

use super::{LintedFile, file::rule};
use crate::Stamp;
use crate::documents::github::{self, Annotation, Place};

/// An annotation for everything that is wrong.
pub(crate) fn render(files: &[LintedFile<'_>], _: &Stamp) -> String {
    files.iter().flat_map(|file| file.linted.findings.iter().map(|finding| one(file, finding))).collect()
}

fn one(file: &LintedFile<'_>, finding: &Finding) -> String {
    let level = match finding.level {
        Level::Error => github::Level::Error,
        Level::Warning => github::Level::Warning,
        Level::Info => github::Level::Notice,
    };
    let [start, end] = file.place(finding.span);
    let place = Some(Place { path: file.path, start, end });
    let (title, message) = (rule(finding), LintedFile::told(finding, "\n"));
    Annotation { level, place, title: &title, message: &message }.render()
}
