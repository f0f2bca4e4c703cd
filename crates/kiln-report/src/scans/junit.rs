use kiln_vuln::{Match, Suppressed};

use super::{Scan, words};
use crate::Stamp;
use crate::documents::junit::{Case, End, Suite, document};

/// A suite per image, a failed case per vulnerability, an error per thing not known.
pub(crate) fn render(scans: &[Scan], stamp: &Stamp) -> String {
    let suites: Vec<Suite> = scans.iter().map(suite).collect();
    document("kiln scan", &suites, "no known vulnerabilities", stamp)
}

fn suite(scan: &Scan) -> Suite {
    let failed = scan.report.matches.iter().map(failed);
    let skipped = scan.report.suppressed.iter().map(skipped);
    let unknown = words::unknown(scan).into_iter().map(unknown);
    let notices = words::notices(scan).map(notice);
    Suite { name: scan.name.clone(), cases: failed.chain(skipped).chain(unknown).chain(notices).collect() }
}

fn failed(found: &Match) -> Case {
    let end = End::Failed {
        kind: found.severity.to_string(),
        message: format!("{}, {}", found.severity, words::fix(found)),
        details: words::details(found).join("\n"),
    };
    case(found, end)
}

fn skipped(taken: &Suppressed) -> Case {
    case(&taken.found, End::Skipped(taken.by.explain()))
}

fn case(found: &Match, end: End) -> Case {
    Case { name: words::title(found), class: found.ecosystem.to_string(), end }
}

/// Nothing that fails a build by itself.
fn notice(text: String) -> Case {
    Case { name: text.clone(), class: "coverage".to_owned(), end: End::Skipped(text) }
}

fn unknown(text: String) -> Case {
    Case { name: text.clone(), class: "coverage".to_owned(), end: End::Error(text) }
}
