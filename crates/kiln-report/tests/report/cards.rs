use kiln_finding::{Fact, Severity};
use kiln_pkg::{Ecosystem, Indicator, IndicatorKind, Package, Place, Secret};
use kiln_policy::{Evidence, Exception, Overrides, PolicySettings, Scorecard, Stage, judge};
use kiln_report::{FORMATS, Format, Kind, Results, Stamp};
use kiln_vuln::{Fix, Match};

use super::{golden, readable, render, stamp};

fn place(path: &str) -> Place {
    Place { path: path.to_owned(), layer: None }
}

fn exception(id: &str, reason: &str, expires: &str) -> Exception {
    Exception {
        id: id.to_owned(),
        subject: "shop/*".to_owned(),
        reason: reason.to_owned(),
        owner: "ada@example.org".to_owned(),
        expires: expires.parse().unwrap(),
    }
}

fn vulnerability() -> Match {
    let fix = Fix::Version { version: "2.1.4".to_owned() };
    let package = Package::new(Ecosystem::Npm, "ms", "2.1.3");
    Match {
        aliases: vec!["CVE-2022-31129".to_owned()],
        ..Match::new("GHSA-wc69-rhjr-hc9g", Severity::High, &package, fix)
    }
}

/// The checks on the cards of the golden files, so that they show what formats do with a card and not which checks there are: what
/// each check says stands on its page, which kiln-policy holds.
const SHOWN: [&str; 19] = [
    "IM001", "IM002", "IM003", "IM004", "IM005", "IM006", "IM007", "IM008", "IM009", "IM010", "NA001",
    "NA002", "NA003", "PK001", "PK002", "PK003", "SG001", "SG002", "SG003",
];

fn settings(exceptions: Vec<Exception>) -> PolicySettings {
    let checks = SHOWN.map(str::to_owned).to_vec();
    PolicySettings::new(&Overrides { checks: Some(checks), ..Overrides::default() }, exceptions).unwrap()
}

/// A pass, a failure, an unknown, a question that does not arise, an exception of each state, and hostile text.
pub(super) fn kitchen_sink() -> Scorecard {
    let mut evidence = Evidence::fake();
    if let Fact::Known(inventory) = &mut evidence.inventory {
        inventory.indicators.push(Indicator {
            kind: IndicatorKind::Shell,
            place: place("bin/sh"),
            deleted: false,
        });
        inventory.secrets.push(Secret {
            rule: "npm-token".to_owned(),
            place: place("app/\u{1b}[2J<b>|`x`.npmrc\n::error::forged"),
            shown: "npm_… (40 characters)".to_owned(),
            deleted: true,
            published: false,
        });
    }
    if let Fact::Known(report) = &mut evidence.vulnerabilities {
        report.matches.push(vulnerability());
    }
    if let Fact::Known(config) = &mut evidence.config {
        config.config.exposed_ports.clear();
        config.config.healthcheck = None;
    }
    evidence.base = Fact::Unknown("the image does not say what it is built on".to_owned());
    let exceptions = vec![
        exception("IM002", "the shell stays until the new base is out", "2026-12-31"),
        exception("CVE-2022-31129", "not reachable", "2026-11-01"),
        exception("PK003", "bought a licence", "2027-01-01"),
    ];
    judge(&evidence, &settings(exceptions), Stage::Attested)
}

fn passing(stage: Stage) -> Scorecard {
    judge(&Evidence::fake(), &settings(Vec::new()), stage)
}

fn text(card: &Scorecard, format: &str, width: usize) -> String {
    render(format, &Results::Card(card), width) + "\n"
}

#[test]
fn every_format_renders_the_kitchen_sink() {
    let card = kitchen_sink();
    for format in FORMATS.iter().filter(|format| format.knows(Kind::Card)) {
        let found = text(&card, format.name, 80);
        let found = if format.name == "sarif" { readable(&found) } else { found };
        golden(&format!("sink-{}.{}", format.name, format.extension), &found);
    }
    golden("sink-human-wide.txt", &text(&card, "human", 140));
}

#[test]
fn a_card_that_passes_is_worth_showing() {
    golden("pass-human.txt", &text(&passing(Stage::Attested), "human", 100));
    golden("built-human.txt", &text(&passing(Stage::Built), "human", 140));
}

#[test]
fn formats_are_sorted_and_have_golden_files() {
    assert!(FORMATS.is_sorted_by(|a, b| a.name < b.name));
    assert!(Format::find("xml").is_none());
}

#[test]
fn no_line_is_wider_than_asked() {
    for width in [60, 80, 100, 120, 200] {
        for line in text(&passing(Stage::Attested), "human", width)
            .lines()
            .filter(|line| !line.starts_with("sha256:"))
        {
            assert!(line.chars().count() <= width.max(84), "{width}: {line}");
        }
    }
}

#[test]
fn json_says_whether_it_passes() {
    let document: serde_json::Value = serde_json::from_str(&text(&kitchen_sink(), "json", 80)).unwrap();
    assert_eq!(document["version"], 2);
    assert_eq!(document["passes"], false);
    assert!(document["result"].is_string() && document["summary"].is_object());
    assert_eq!(document["counts"]["excepted"], 1);
    let read: Scorecard = serde_json::from_value(document).unwrap();
    assert_eq!(read, kitchen_sink());
}

/// What passes takes one line, and says where the rest is told.
#[test]
fn what_passes_takes_one_line_unless_all_is_asked_for() {
    let card = judge(&Evidence::fake(), &settings(Vec::new()), Stage::Attested);
    for width in [60, 80, 100, 120] {
        let stamp = Stamp { explains: false, ..stamp(width) };
        let text = Format::find("human").unwrap().render(&Results::Card(&card), &stamp).unwrap();
        let text = anstream::adapter::strip_str(&text).to_string();
        let marked = text.lines().filter(|line| line.starts_with("  ✓ pass")).count();
        let lines = text.lines().take_while(|line| !line.starts_with("PASSED"));
        let other = lines.filter(|line| line.starts_with("       ")).count();
        assert_eq!((marked, other), (SHOWN.len(), 0), "{width}\n{text}");
        let mut card_lines = text.lines().filter(|line| line.starts_with("  "));
        assert!(card_lines.all(|line| line.chars().count() <= width), "{width}\n{text}");
        assert!(text.contains("--explain shows more"), "{text}");
    }
}
