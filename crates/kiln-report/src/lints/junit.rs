use kiln_lint::Finding;

use super::{LintedFile, file::rule};
use crate::Stamp;
use crate::documents::junit::{Case, End, Suite, document};

/// A suite per file, a failed case for everything that is wrong.
pub(crate) fn render(files: &[LintedFile<'_>], stamp: &Stamp) -> String {
    let suites: Vec<Suite> = files.iter().map(suite).collect();
    document("kiln lint", &suites, "nothing to say", stamp)
}

fn suite(file: &LintedFile<'_>) -> Suite {
    let failed = file.linted.findings.iter().map(|finding| failed(file, finding));
    let allowed = file.linted.allowed.iter().map(|finding| {
        let end = End::Skipped("a comment in the file allows it".to_owned());
        case(file, finding, end)
    });
    Suite { name: file.path.to_owned(), cases: failed.chain(allowed).collect() }
}

fn failed(file: &LintedFile<'_>, finding: &Finding) -> Case {
    let end = End::Failed {
        kind: finding.level.as_str().to_owned(),
        message: finding.message.clone(),
        details: LintedFile::told(finding, "\n"),
    };
    case(file, finding, end)
}

fn case(file: &LintedFile<'_>, finding: &Finding, end: End) -> Case {
    let [(line, _), _] = file.place(finding.span);
    Case { name: format!("{}, line {line}", rule(finding)), class: finding.id.to_owned(), end }
}
