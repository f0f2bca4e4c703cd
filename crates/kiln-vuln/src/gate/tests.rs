use kiln_oci::Digest;
use kiln_pkg::{Ecosystem, Package, Unread, Unseen};
use proptest::prelude::*;

use super::*;
use crate::{Coverage, Covered, Date, EndOfLife, Epss, Fix};

fn day() -> Date {
    "2026-11-30".parse().unwrap()
}

fn report(matches: Vec<Match>) -> VulnerabilityReport {
    VulnerabilityReport {
        matches,
        suppressed: Vec::new(),
        coverage: vec![Coverage {
            ecosystem: Ecosystem::Npm,
            release: String::new(),
            packages: 1,
            feed: Some("npm".to_owned()),
            covered: Covered::Full { as_of: day() },
            elsewhere: false,
            names_malware: Some(true),
        }],
        end_of_life: Vec::new(),
        unread: Vec::new(),
        unseen: Vec::new(),
        database: Digest::of(b"database"),
        as_of: Some(day()),
    }
}

fn found(id: &str, severity: Severity, change: impl FnOnce(&mut Match)) -> Match {
    let package = Package::new(Ecosystem::Npm, "p", "1.0.0");
    let mut found = Match::new(id, severity, &package, Fix::None);
    change(&mut found);
    found
}

fn gate(conditions: &[&str]) -> Gate {
    Gate { conditions: conditions.iter().map(|text| text.parse().unwrap()).collect(), ..Gate::default() }
}

/// `refused`, `open: 1 severity`, `passed`
fn told(gate: &Gate, report: &VulnerabilityReport) -> String {
    match gate.judge([report].into_iter()) {
        GateVerdict::Passed => "passed".to_owned(),
        GateVerdict::Refused(_) => "refused".to_owned(),
        GateVerdict::Open(open) => {
            let open: Vec<String> =
                open.iter().map(|(kind, count)| format!("{count} {}", kind.as_str())).collect();
            format!("open: {}", open.join(", "))
        }
    }
}

#[test]
fn what_nobody_has_judged_is_no_pass() {
    let unjudged = report(vec![found("CVE-1", Severity::Unknown, |_| {})]);
    for least in ["low", "medium", "high", "critical"] {
        assert_eq!(told(&gate(&[least]), &unjudged), "open: 1 severity", "{least}");
    }
    assert_eq!(told(&gate(&["unknown"]), &unjudged), "refused");
    assert_eq!(told(&gate(&["kev"]), &unjudged), "passed", "what does not bear on it may be open");
    let leveled = |level| Gate { unknown_severity: Some(level), ..gate(&["high"]) };
    assert_eq!(told(&leveled(Severity::High), &unjudged), "refused");
    assert_eq!(told(&leveled(Severity::Low), &unjudged), "passed");
    let allowed = Gate { allowed: [Open::Severity].into(), ..gate(&["high"]) };
    assert_eq!(told(&allowed, &unjudged), "passed");
    let other = Gate { allowed: [Open::Coverage].into(), ..gate(&["high"]) };
    assert_eq!(told(&other, &unjudged), "open: 1 severity");
}

#[test]
fn exploited_and_malware_are_critical() {
    let exploited = report(vec![found("CVE-1", Severity::Low, |found| found.known_exploited = true)]);
    let malware = report(vec![found("MAL-2026-1", Severity::Unknown, |_| {})]);
    for report in [&exploited, &malware] {
        assert_eq!(told(&gate(&["critical"]), report), "refused");
    }
    assert_eq!(told(&gate(&["kev"]), &exploited), "refused");
    assert_eq!(told(&gate(&["kev"]), &malware), "passed");
    assert_eq!(told(&gate(&["malware"]), &malware), "refused");
    let alias =
        report(vec![found("GHSA-1", Severity::Low, |found| found.aliases.push("MAL-2026-1".to_owned()))]);
    assert_eq!(told(&gate(&["malware"]), &alias), "refused");
}

#[test]
fn other_conditions() {
    let fixed = report(vec![found("CVE-1", Severity::Low, |found| {
        found.fix = Fix::Version { version: "1.0.1".to_owned() };
    })]);
    assert_eq!(told(&gate(&["fixable"]), &fixed), "refused");
    assert_eq!(told(&gate(&["high", "fixable"]), &fixed), "refused");
    assert_eq!(told(&gate(&["high"]), &fixed), "passed");
    assert_eq!(told(&gate(&["epss>0.1"]), &fixed), "open: 1 epss");
    let likely = |share: f64| {
        report(vec![found("CVE-1", Severity::Low, |found| {
            found.epss = Some(Epss { score: share.into(), percentile: 0.9.into() });
        })])
    };
    assert_eq!(told(&gate(&["epss>0.5"]), &likely(0.51)), "refused");
    assert_eq!(told(&gate(&["epss>0.5"]), &likely(0.5)), "passed");
    for wrong in ["epss>2", "epss>", "epss>NaN", "severe", "High", ""] {
        assert!(wrong.parse::<Condition>().is_err(), "{wrong}");
    }
    assert_eq!(told(&Gate::default(), &report(vec![found("CVE-1", Severity::Critical, |_| {})])), "passed");
}

#[test]
fn what_is_not_covered_is_no_pass_and_what_is_old_is_one() {
    let covered = |covered| {
        let mut report = report(Vec::new());
        report.coverage[0].covered = covered;
        report
    };
    let (as_of, why) = (day(), "why".to_owned());
    let states = [
        (Covered::Full { as_of }, "passed"),
        (Covered::Stale { as_of, age: 90, limit: 30 }, "passed"),
        (Covered::Partial { as_of, why: why.clone() }, "open: 1 coverage"),
        (Covered::None { why }, "open: 1 coverage"),
    ];
    for (state, expected) in states {
        assert_eq!(told(&gate(&["low"]), &covered(state)), expected);
    }
    let mut blind = report(Vec::new());
    blind.coverage[0].names_malware = Some(false);
    assert_eq!(told(&gate(&["low"]), &blind), "passed");
    assert_eq!(told(&gate(&["malware"]), &blind), "open: 1 coverage");
    blind.coverage[0].names_malware = None;
    assert_eq!(told(&gate(&["malware"]), &blind), "passed", "nobody looks for malware there");
}

#[test]
fn what_is_not_installed_or_built_in_is_no_pass() {
    let with = |declared: &[&str], bundles: &[&str]| {
        let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect();
        let mut report = report(Vec::new());
        report.unseen =
            vec![Unseen { declared: texts(declared), bundles: texts(bundles), ..Unseen::at("app") }];
        report
    };
    assert_eq!(told(&gate(&["low"]), &with(&["a"], &[])), "open: 1 coverage");
    assert_eq!(told(&gate(&["low"]), &with(&["a"], &["a.js"])), "open: 1 bundle");
    let allowed = Gate { allowed: [Open::Bundle].into(), ..gate(&["low"]) };
    assert_eq!(told(&allowed, &with(&[], &["a.js"])), "passed");
    let mut nameless = with(&["a"], &["a.js"]);
    nameless.unseen[0].nameless = vec!["node_modules/b".to_owned()];
    assert_eq!(told(&allowed, &nameless), "open: 1 coverage");
}

fn ended() -> EndOfLife {
    EndOfLife { product: "node".to_owned(), line: "16".to_owned(), ended: day() }
}

#[test]
fn what_nobody_repairs_is_no_pass() {
    let mut old = report(Vec::new());
    old.end_of_life = vec![ended()];
    assert_eq!(told(&gate(&["critical"]), &old), "open: 1 end-of-life");
    let allowed = Gate { allowed: [Open::EndOfLife].into(), ..gate(&["critical"]) };
    assert_eq!(told(&allowed, &old), "passed");
    old.matches = vec![found("CVE-1", Severity::Critical, |_| {})];
    assert_eq!(told(&gate(&["critical"]), &old), "refused");
}

fn severities() -> impl Strategy<Value = Severity> {
    prop::sample::select(Severity::ALL.to_vec())
}

fn matches() -> impl Strategy<Value = Match> {
    (severities(), any::<bool>(), any::<bool>(), prop::option::of(0.0..1.0), any::<bool>()).prop_map(
        |(severity, exploited, malware, epss, is_fixed)| {
            found(if malware { "MAL-1" } else { "CVE-1" }, severity, |found| {
                found.known_exploited = exploited;
                found.epss = epss.map(|score: f64| Epss { score: score.into(), percentile: 0.5.into() });
                if is_fixed {
                    found.fix = Fix::Version { version: "2.0.0".to_owned() };
                }
            })
        },
    )
}

fn conditions() -> impl Strategy<Value = Vec<Condition>> {
    let condition = prop_oneof![
        severities().prop_map(Condition::Severity),
        Just(Condition::Exploited),
        Just(Condition::Malware),
        Just(Condition::Fixable),
        (0.0..1.0).prop_map(|most: f64| Condition::Epss(most.into())),
    ];
    prop::collection::vec(condition, 1..4)
}

proptest! {
    /// A fact that becomes unknown turns no failure into a pass: severities, probabilities, coverage, malware, lines, files.
    #[test]
    fn not_knowing_is_never_better(
        matches in prop::collection::vec(matches(), 0..5),
        conditions in conditions(),
        which in any::<prop::sample::Index>(),
        fact in 0..8,
    ) {
        let gate = Gate { conditions, ..Gate::default() };
        let known = report(matches);
        let before = told(&gate, &known);
        let mut unknown = known;
        match fact {
            0 if !unknown.matches.is_empty() => {
                let at = which.index(unknown.matches.len());
                unknown.matches[at].severity = Severity::Unknown;
            }
            1 if !unknown.matches.is_empty() => {
                let at = which.index(unknown.matches.len());
                unknown.matches[at].epss = None;
            }
            2 => unknown.coverage[0].covered = Covered::None { why: "it is not covered".to_owned() },
            3 => unknown.coverage[0].names_malware = Some(false),
            4 => unknown.end_of_life.push(ended()),
            5 => unknown.unseen.push(Unseen { declared: vec!["x".to_owned()], ..Unseen::at("app") }),
            6 => unknown.unseen.push(Unseen { bundles: vec!["x.js".to_owned()], ..Unseen::at("app") }),
            _ => unknown.unread.push(Unread { path: "x".to_owned(), reader: "r".to_owned(), why: "w".to_owned() }),
        }
        let after = told(&gate, &unknown);
        prop_assert!(after != "passed" || before == "passed", "{} {}", before, after);
    }
}
