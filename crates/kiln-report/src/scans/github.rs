use kiln_finding::Severity;
use kiln_vuln::Match;

use super::{Scan, words};
use crate::Stamp;
use crate::documents::github::{Level, said};

/// What GitHub shows of a kind in one step. Source: its documentation, "Usage limits" of annotations.
const MOST: usize = 10;

/// The worst ones, and how many there are.
pub(crate) fn render(scans: &[Scan], _: &Stamp) -> String {
    scans.iter().map(of_one).collect()
}

fn of_one(scan: &Scan) -> String {
    let severe = |found: &&Match| found.effective_severity() >= Severity::High;
    let worst = scan.report.matches.iter().filter(severe).take(MOST);
    let worst =
        worst.map(|found| said(Level::Error, &words::title(found), &words::details(found).join("\n")));
    let name = format!("kiln: {}", scan.name);
    let unknown = words::unknown(scan).into_iter().take(MOST);
    let unknown = unknown.map(|text| said(Level::Warning, &name, &text));
    let found = scan.report.matches.len();
    let last = format!("{found} known vulnerabilities, {} taken out", scan.report.suppressed.len());
    let notices = words::notices(scan).map(|text| said(Level::Notice, &name, &text));
    worst.chain(unknown).chain(notices).chain([said(Level::Notice, &name, &last)]).collect()
}
