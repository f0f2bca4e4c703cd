//! Exceptions: they excuse a failure, by name, until a day; and nothing else.
#![expect(clippy::unwrap_used, reason = "tests")]

use kiln_finding::{Diagnose, Fact, Severity};
use kiln_pkg::{Ecosystem, Indicator, IndicatorKind, Package, Place};
use kiln_policy::{
    Evidence, Exception, ExceptionState, Outcome, Overrides, PolicySettings, Scorecard, Stage, judge,
};
use kiln_vuln::{Fix, Match};

fn exception(id: &str, subject: &str, expires: &str) -> Exception {
    Exception {
        id: id.to_owned(),
        subject: subject.to_owned(),
        reason: "the debug image".to_owned(),
        owner: "ada".to_owned(),
        expires: expires.parse().unwrap(),
    }
}

fn with_shell() -> Evidence {
    let mut evidence = Evidence::fake();
    let Fact::Known(inventory) = &mut evidence.inventory else { unreachable!() };
    let place = Place { path: "bin/sh".to_owned(), layer: None };
    inventory.indicators.push(Indicator { kind: IndicatorKind::Shell, place, deleted: false });
    evidence
}

fn vulnerable(ids: &[&str]) -> Evidence {
    let mut evidence = Evidence::fake();
    let Fact::Known(report) = &mut evidence.vulnerabilities else { unreachable!() };
    report.matches = ids
        .iter()
        .map(|id| {
            let fix = Fix::Version { version: "2.1.4".to_owned() };
            let package = Package::new(Ecosystem::Npm, "ms", "2.1.3");
            let aliases = vec![id.replace("GHSA", "CVE")];
            Match { aliases, ..Match::new(*id, Severity::High, &package, fix) }
        })
        .collect();
    evidence
}

fn run(evidence: &Evidence, exceptions: &[Exception]) -> Scorecard {
    let settings = PolicySettings::new(&Overrides::default(), exceptions.to_vec()).unwrap();
    judge(evidence, &settings, Stage::Attested)
}

fn outcome(card: &Scorecard, id: &str) -> Outcome {
    card.lines.iter().find(|line| line.id == id).unwrap().outcome
}

#[test]
fn excuses_a_check_for_the_named_image_until_its_day() {
    for (subject, expires, expected, state) in [
        ("shop/*", "2026-11-21", Outcome::Excepted, ExceptionState::Applied),
        ("*", "2027-01-01", Outcome::Excepted, ExceptionState::Applied),
        ("other/*", "2027-01-01", Outcome::Fail, ExceptionState::Unused),
        ("shop/*", "2026-11-20", Outcome::Fail, ExceptionState::Expired),
    ] {
        let card = run(&with_shell(), &[exception("IM002", subject, expires)]);
        assert_eq!(
            (outcome(&card, "IM002"), card.exceptions[0].state),
            (expected, state),
            "{subject} {expires}"
        );
        assert_eq!(card.passes(), expected == Outcome::Excepted);
    }
}

#[test]
fn an_excepted_line_says_what_failed_and_who_answers() {
    let card = run(&with_shell(), &[exception("IM002", "shop/api:*", "2027-01-01")]);
    let line = card.lines.iter().find(|line| line.id == "IM002").unwrap();
    assert_eq!(line.reason, "/bin/sh; excepted: IM002 by ada until 2027-01-01: the debug image");
}

#[test]
fn excuses_one_advisory_by_any_id_for_the_image_or_the_package() {
    for (id, subject) in [("GHSA-1", "shop/*"), ("CVE-1", "ms@2.*")] {
        let card = run(&vulnerable(&["GHSA-1"]), &[exception(id, subject, "2027-01-01")]);
        assert_eq!(outcome(&card, "PK001"), Outcome::Excepted);
        assert!(card.passes());
    }
    let card = run(&vulnerable(&["GHSA-1", "GHSA-2"]), &[exception("CVE-1", "*", "2027-01-01")]);
    let line = card.lines.iter().find(|line| line.id == "PK001").unwrap();
    assert_eq!(line.outcome, Outcome::Fail);
    assert!(line.reason.starts_with("1 fixable: GHSA-2"), "{}", line.reason);
    assert_eq!(card.exceptions[0].state, ExceptionState::Applied);
}

#[test]
fn excuses_no_unknown() {
    let mut evidence = Evidence::fake();
    evidence.inventory = Fact::Unknown("not read".to_owned());
    let card = run(&evidence, &[exception("IM002", "*", "2027-01-01")]);
    assert_eq!(outcome(&card, "IM002"), Outcome::Unknown);
    let mut evidence = vulnerable(&["GHSA-1"]);
    evidence.archive = Fact::Unknown("not read".to_owned());
    let card = run(&evidence, &[exception("GHSA-1", "*", "2027-01-01")]);
    assert_eq!(outcome(&card, "PK001"), Outcome::Unknown);
}

#[test]
fn what_does_not_exist_is_an_error() {
    let refused =
        |overrides: &Overrides, exceptions| PolicySettings::new(overrides, exceptions).unwrap_err().code();
    let none = Overrides::default();
    for id in ["IM999", "im001", "CVE-", "lodash"] {
        assert_eq!(refused(&none, vec![exception(id, "*", "2027-01-01")]), "policy.exception", "{id}");
    }
    assert_eq!(refused(&none, vec![exception("IM001", " ", "2027-01-01")]), "policy.exception");
    let checks = Overrides { checks: Some(vec!["IM999".to_owned()]), ..Overrides::default() };
    assert_eq!(refused(&checks, vec![]), "policy.check");
    let profile = Overrides { profile: Some("soft".to_owned()), ..Overrides::default() };
    assert_eq!(refused(&profile, vec![]), "policy.profile");
}
