//! Texts of others, whatever they hold, through every format of every kind of result.

use kiln_lint::Linted;
use kiln_policy::Scorecard;
use kiln_report::{FORMATS, Format, LintedFile, Results, Scan, clean};
use proptest::prelude::*;
use serde_json::Value;

use super::{cards, lints, render, scans, stamp};

/// What somebody would write who wants to be taken for something else.
const PIECES: &[&str] = &[
    "\u{1b}[31m",
    "\u{1b}[8m",
    "\u{1b}]0;title\u{7}",
    "\u{1b}[2J",
    "\u{9b}2J",
    "\r",
    "\n",
    "\t",
    "\0",
    "\u{7f}",
    "\u{8}",
    "\u{202e}",
    "\u{2066}",
    "\u{200f}",
    "\u{61c}",
    "\u{2028}",
    "\u{feff}",
    "\u{ffff}",
    "<b>",
    "</testsuite>",
    "<!--",
    "]]>",
    "&lt;",
    "&",
    "\"",
    "'",
    "|",
    "*",
    "_",
    "`",
    "```",
    "[a](b)",
    "![a](b)",
    "\\",
    "#12",
    "@ada",
    "https://example.invalid",
    "www.example.invalid",
    "~~",
    "::error::",
    "\n::error title=x::y",
    "%0A",
    "%",
    ",",
    ":",
    "=",
    "$",
    "ä",
    "日",
    "\n# ",
    "\n- ",
    "\n| a |",
];

pub(super) fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => prop::sample::select(PIECES).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "[a-z]{1,6}",
    ];
    prop::collection::vec(piece, 1..8).prop_map(|pieces| pieces.concat())
}

/// A card that says `text` wherever others may say something.
fn card(text: &str) -> Scorecard {
    let own = || text.to_owned();
    let mut card = cards::kitchen_sink();
    card.subject.name = own();
    card.subject.platform = own();
    card.profile = own();
    card.summary.base = Some(own());
    card.summary.node = vec![own()];
    for line in &mut card.lines {
        line.reason = own();
        line.details = vec![own()];
        line.cure = line.cure.as_ref().map(|_| own());
    }
    for used in &mut card.exceptions {
        for field in [&mut used.exception.subject, &mut used.exception.owner, &mut used.exception.reason] {
            *field = own();
        }
    }
    card
}

/// The same of a scan.
fn scan(text: &str) -> Scan {
    let own = || text.to_owned();
    let mut scan = scans::kitchen_sink();
    scan.name = own();
    let report = &mut scan.report;
    let taken = report.suppressed.iter_mut().map(|taken| &mut taken.found);
    for found in report.matches.iter_mut().chain(taken) {
        found.name = own();
        found.version = own();
        found.tool = Some(own());
        found.path = vec![own()];
        found.direct = vec![own()];
        found.aliases = vec![own()];
        found.places.iter_mut().for_each(|place| place.path = own());
    }
    for unread in &mut report.unread {
        unread.path = own();
        unread.why = own();
    }
    scan.inventory.notes = vec![own()];
    for step in scan.plan.iter_mut().flat_map(|plan| &mut plan.steps) {
        step.what = own();
        step.caution = Some(own());
        step.removes = vec![own()];
    }
    scan
}

/// Findings that say `text`, in a file that is always the same: which rules fire is not the question.
fn dockerfile(text: &str) -> Linted {
    let mut linted = lints::linted(
        "FROM node:22 AS build\nMAINTAINER ada\nENV A=b\nFROM node:22\nCOPY --from=biuld a b\n",
    );
    for finding in &mut linted.findings {
        text.clone_into(&mut finding.message);
        finding.help = Some(text.to_owned());
        finding.labels.push((finding.span, text.to_owned()));
    }
    linted
}

/// Every format that knows the results, and what it makes of them.
fn documents(results: &Results<'_>) -> Vec<(&'static str, String)> {
    let formats = FORMATS.iter().filter(|format| format.knows(results.kind()));
    formats.map(|format| (format.name, render(format.name, results, 100))).collect()
}

/// What gives a document its structure, in order: if it is the same, the texts in it have added nothing to it.
fn structure(format: &str, document: &str) -> Vec<String> {
    match format {
        "junit" => document.chars().filter(|char| "<>\"".contains(*char)).map(String::from).collect(),
        "github" => {
            let command = |line: &str| line.split([' ', ',']).next().unwrap_or_default().to_owned();
            let separators = |line: &str| line.matches("::").count().min(2).to_string();
            document.lines().flat_map(|line| [command(line), separators(line)]).collect()
        }
        "markdown" => document.lines().map(markup).collect(),
        "human" => Vec::new(),
        _ if is_json(format) => Vec::new(),
        // Whatever else it may have, it has lines.
        _ => vec![document.lines().count().to_string()],
    }
}

fn is_json(format: &str) -> bool {
    Format::find(format).unwrap().is_json
}

/// Markup of a line: what begins it, and what nothing escapes.
fn markup(line: &str) -> String {
    // Code is what it is, and is indented.
    if line.starts_with("       ") {
        return String::new();
    }
    let mut marks: String = line.chars().take(2).filter(|char| "#->|".contains(*char)).collect();
    let mut chars = line.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' => drop(chars.next()),
            '@' | ':' if matches!(chars.peek(), Some('\u{200b}')) => {}
            // What GitHub Flavored Markdown makes a link of; `:/` alone is none.
            ':' => marks.extend(chars.clone().take(2).eq(['/', '/']).then_some(':')),
            '<' | '|' | '*' | '_' | '`' | '[' | ']' | '~' | '#' | '!' | '@' => marks.push(char),
            _ => {}
        }
    }
    marks
}

fn check(hostile: &Results<'_>, harmless: &Results<'_>) {
    for ((format, document), (_, plain)) in documents(hostile).into_iter().zip(documents(harmless)) {
        let what = format!("{format}: {document:?}");
        if is_json(format) {
            let value: Value = serde_json::from_str(&document).expect(&what);
            assert!(!value.is_null());
        } else {
            assert_eq!(document, clean::lines(&document), "{what}");
        }
        assert_eq!(structure(format, &document), structure(format, &plain), "{what}");
        assert!(format != "junit" || !document.contains('\u{ffff}'), "{what}");
    }
    // What is for people is fit for a terminal with its styles.
    for format in FORMATS.iter().filter(|format| format.knows(hostile.kind()) && !format.is_json) {
        let styled = format.render(hostile, &stamp(100)).unwrap();
        assert_eq!(styled, clean::result(&styled), "{}", format.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_card_says_no_more_than_it_is_given(text in hostile()) {
        check(&Results::Card(&card(&text)), &Results::Card(&card("harmless")));
    }

    #[test]
    fn a_scan_says_no_more_than_it_is_given(text in hostile()) {
        check(&Results::Scans(&[scan(&text)]), &Results::Scans(&[scan("harmless")]));
    }

    #[test]
    fn a_dockerfile_says_no_more_than_it_is_given(text in hostile()) {
        let (linted, harmless) = (dockerfile(&text), dockerfile("harmless"));
        let file = |path, linted| [LintedFile { path, has_context: true, linted }];
        check(&Results::Lint(&file(&text, &linted)), &Results::Lint(&file("harmless", &harmless)));
    }

    #[test]
    fn lines_of_a_dockerfile_are_shown_and_not_obeyed(text in hostile()) {
        let linted = lints::linted(&format!("FROM node:22 # {text}\nMAINTAINER {text}\nENV {text}=b\nRUN cd {text}\n"));
        let file = [LintedFile { path: &text, has_context: true, linted: &linted }];
        check(&Results::Lint(&file), &Results::Lint(&file));
    }
}
