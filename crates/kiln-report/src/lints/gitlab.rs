use std::collections::BTreeMap;

use kiln_lint::{Finding, Level};
use kiln_oci::Digest;
use serde_json::{Value, json};

use super::LintedFile;
use crate::Stamp;
use crate::documents::gitlab::at_most;

/// Characters of a description; a merge request shows no more of it in one line.
const DESCRIPTION_MAX: usize = 1000;

/// A report of code quality.
pub(crate) fn render(files: &[LintedFile<'_>], _: &Stamp) -> String {
    json!(files.iter().flat_map(of_file).collect::<Vec<_>>()).to_string()
}

fn of_file(file: &LintedFile<'_>) -> Vec<Value> {
    // The same words about the same file have numbers; lines move too easily to be part of the name.
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut one = |finding: &Finding| {
        let words = format!("{}\n{}\n{}", file.path, finding.id, finding.message);
        let number = seen.entry(words.clone()).or_default();
        *number += 1;
        let fingerprint = Digest::of(format!("{words}\n{number}").as_bytes());
        let [start, end] = file.place(finding.span);
        json!({
            "description": at_most(&LintedFile::told(finding, ". "), DESCRIPTION_MAX),
            "check_name": finding.id,
            "fingerprint": fingerprint.hex(),
            "severity": severity(finding.level),
            "location": {
                "path": at_most(file.path.trim_start_matches("./"), usize::MAX),
                "lines": {"begin": start.0, "end": end.0},
            },
        })
    };
    file.linted.findings.iter().map(&mut one).collect()
}

fn severity(level: Level) -> &'static str {
    match level {
        Level::Error => "major",
        Level::Warning => "minor",
        Level::Info => "info",
    }
}
