//! What is wrong in Dockerfiles.

use kiln_lint::{LintSettings, Linted, lint};
use kiln_report::{FORMATS, Format, Kind, LintedFile, Results};

use super::{golden, readable, render};

/// Errors, warnings and notes, repairs that are safe and some that are not, labels, and something that is allowed.
const SINK: &str = "\
# kiln: allow DF002 the base is pinned by the build\n\
FROM node:22 AS build\n\
WORKDIR app\n\
COPY . .\n\
RUN npm install && curl https://example.invalid/x | sh\n\
FROM node:22\n\
MAINTAINER ada\n\
COPY --from=biuld /app /app\n\
ADD src /app\n\
ENV NPM_TOKEN=abc\n\
EXPOSE 3000:3000\n\
CMD npm start # \u{1b}[2J<b>|`x`\u{202e}\n";

pub(super) fn linted(text: &str) -> Linted {
    lint(text, None, &LintSettings::new("2026-11-21"))
}

fn shown(format: &str, text: &str, path: &str) -> String {
    let linted = linted(text);
    render(format, &Results::Lint(&[LintedFile { path, has_context: false, linted: &linted }]), 100)
}

#[test]
fn every_format_shows_everything() {
    for format in FORMATS.iter().filter(|format| format.knows(Kind::Lint)) {
        let mut found = readable(&shown(format.name, SINK, "./a b/Dockerfile"));
        if format.name == "sarif" {
            // The pages of all rules are many, and are tested where they stand.
            let start = found.find("\"tool\"").unwrap();
            found.truncate(start);
        }
        golden(&format!("lint-{}.{}", format.name, format.extension), &found);
    }
}

#[test]
fn what_is_clean_is_no_empty_report() {
    let clean = "FROM scratch\n";
    assert!(linted(clean).findings.iter().all(|finding| finding.id != "DF000"));
    let files = [];
    for (format, wanted) in [("gitlab", "[]"), ("json", "[]"), ("human", ""), ("github", "")] {
        let format = Format::find(format).unwrap();
        let text = format.render(&Results::Lint(&files), &super::stamp(100)).unwrap();
        assert_eq!(text, wanted, "{}", format.name);
    }
}

#[test]
fn the_same_finding_has_the_same_name_wherever_it_moves() {
    let names = |text: &str| -> Vec<String> {
        let report: serde_json::Value = serde_json::from_str(&shown("gitlab", text, "Dockerfile")).unwrap();
        let all = report.as_array().unwrap().iter();
        all.map(|one| one["fingerprint"].as_str().unwrap().to_owned()).collect()
    };
    let once = names("FROM node:22\nRUN sudo ls\n");
    assert_eq!(once, names("# moved\n\nFROM node:22\nRUN sudo ls\n"));
    let mut twice = names("FROM node:22\nMAINTAINER a\nMAINTAINER a\n");
    twice.sort();
    twice.dedup();
    assert_eq!(twice.len(), names("FROM node:22\nMAINTAINER a\nMAINTAINER a\n").len());
}

/// Rules and scans speak of the same last days.
#[test]
fn lines_of_node_end_on_one_day() {
    let both = kiln_vuln::release_lines("node").filter_map(|line| {
        let known = kiln_lint::facts::line(line.line.parse().ok()?)?;
        Some((line.line, line.end.to_string(), known.end.clone()))
    });
    let both: Vec<_> = both.collect();
    assert!(both.len() >= 10, "{both:?}");
    assert!(both.iter().all(|(_, scanned, linted)| scanned == linted), "{both:?}");
}
