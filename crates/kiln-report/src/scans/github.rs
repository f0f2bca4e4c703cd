use kiln_finding::Severity;
use kiln_vuln::Match;

use super::{Scan, ScanFormat, Stamp, words};
use crate::formats::command;

/// Annotations of GitHub Actions, the worst ones: it shows ten of a kind.
pub(super) static FORMAT: ScanFormat = ScanFormat { name: "github", one: false, render };

/// What GitHub shows of a kind in one step. Source: its documentation, "Usage limits" of annotations.
const MOST: usize = 10;

fn render(scans: &[Scan], _: &Stamp) -> String {
    let text: String = scans.iter().map(of_one).collect();
    text.trim_end().to_owned()
}

fn of_one(scan: &Scan) -> String {
    let severe = |found: &&Match| found.effective_severity() >= Severity::High;
    let worst = scan.report.matches.iter().filter(severe).take(MOST);
    let worst = worst.map(|found| command("error", &words::title(found), &words::details(found).join("\n")));
    let unknown = words::unknown(scan).into_iter().take(MOST);
    let unknown = unknown.map(|text| command("warning", &format!("kiln: {}", scan.name), &text));
    let found = scan.report.matches.len();
    let last = format!("{found} known vulnerabilities, {} taken out", scan.report.suppressed.len());
    let last = command("notice", &format!("kiln: {}", scan.name), &last);
    worst.chain(unknown).chain([last]).collect()
}
