use kiln_vuln::{Match, Suppressed};

use super::{Scan, ScanFormat, Stamp, words};
use crate::text::plain;

/// JUnit XML: a suite per image, a failed case per vulnerability, an error per thing not known.
pub(super) static FORMAT: ScanFormat = ScanFormat { name: "junit", one: false, render };

fn render(scans: &[Scan], stamp: &Stamp) -> String {
    let suites: String = scans.iter().map(|scan| suite(scan, stamp)).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"kiln scan\">\n{suites}</testsuites>"
    )
}

fn suite(scan: &Scan, stamp: &Stamp) -> String {
    let unknown = words::unknown(scan);
    let mut cases: Vec<String> = scan.report.matches.iter().map(failure).collect();
    cases.extend(scan.report.suppressed.iter().map(skipped));
    cases.extend(unknown.iter().map(|text| error(text)));
    if cases.is_empty() {
        cases.push("    <testcase name=\"no known vulnerabilities\" classname=\"kiln\"/>\n".to_owned());
    }
    let cases = cases.concat();
    let (failures, errors, skipped) =
        (scan.report.matches.len(), unknown.len(), scan.report.suppressed.len());
    let tests = (failures + errors + skipped).max(1);
    format!(
        "  <testsuite name=\"{}\" timestamp=\"{}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\">\n{cases}  </testsuite>\n",
        escape(&scan.name),
        escape(stamp.time.trim_end_matches('Z')),
    )
}

fn skipped(taken: &Suppressed) -> String {
    let (name, class) = (escape(&words::title(&taken.found)), taken.found.ecosystem);
    let why = escape(&plain(&taken.by.explain()));
    format!("    <testcase name=\"{name}\" classname=\"{class}\"><skipped>{why}</skipped></testcase>\n")
}

fn error(unknown: &str) -> String {
    let text = escape(unknown);
    format!("    <testcase name=\"{text}\" classname=\"coverage\"><error message=\"{text}\"/></testcase>\n")
}

fn failure(found: &Match) -> String {
    let (name, class) = (escape(&words::title(found)), found.ecosystem);
    let message = escape(&format!("{}, {}", found.severity, words::fix(found)));
    let details = escape(&words::details(found).join("\n"));
    format!(
        "    <testcase name=\"{name}\" classname=\"{class}\"><failure type=\"{}\" message=\"{message}\">{details}</failure></testcase>\n",
        found.severity
    )
}

/// Line ends stay; other controls are no characters of XML 1.0.
fn escape(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(plain).collect();
    lines.join("\n").replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
