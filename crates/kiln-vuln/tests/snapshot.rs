//! The snapshot inside kiln, asked about packages whose answers are known.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a test says what it measured, and may panic")]

use std::hint::black_box;
use std::time::Instant;

use kiln_finding::Severity;
use kiln_pkg::{Ecosystem, Elsewhere, Inventory, Package, Source};
use kiln_vuln::{Covered, Database, Date, Fix, Terms, VulnerabilityReport, check};
use proptest::prelude::*;

fn inventory(packages: Vec<Package>) -> Inventory {
    Inventory { packages, ..Inventory::default() }
}

/// Before anything is old or at its end.
fn at_once() -> Terms {
    Terms::on(Date::default())
}

fn ask(package: Package) -> VulnerabilityReport {
    check(&Database::embedded(), &inventory(vec![package]), &at_once()).unwrap()
}

fn deb(release: &str, name: &str, version: &str) -> Package {
    Package {
        distro: Some(format!("debian-{release}")),
        source: Some(Source { name: name.to_owned(), version: version.to_owned() }),
        ..Package::new(Ecosystem::Deb, format!("lib{name}"), version)
    }
}

#[test]
fn is_whole_and_says_how_old_it_is() {
    let database = Database::embedded();
    database.verify().unwrap();
    let names: Vec<&str> = database.slices().iter().map(|slice| slice.name.as_str()).collect();
    assert_eq!(names, ["debian", "alpine", "wolfi", "npm", "node", "kev"]);
    assert!(
        database
            .slices()
            .iter()
            .all(|slice| slice.advisories > 0 && slice.as_of <= slice.newest.max(slice.as_of))
    );
}

#[test]
fn finds_npm_by_range_and_joins_ids() {
    let report = ask(Package::new(Ecosystem::Npm, "moment", "2.24.0"));
    let found = report.matches.iter().find(|found| found.id == "GHSA-wc69-rhjr-hc9g").unwrap();
    assert_eq!(found.aliases, ["CVE-2022-31129"]);
    assert_eq!(found.severity, Severity::High);
    assert_eq!(found.fix, Fix::Version { version: "2.29.4".to_owned() });
    assert!(ask(Package::new(Ecosystem::Npm, "moment", "2.29.4")).matches.is_empty());
    assert!(ask(Package::new(Ecosystem::Npm, "moment", "not-a-version")).unread.len() == 1);
}

#[test]
fn what_has_no_version_or_an_odd_one_is_said() {
    let app = Package { elsewhere: Some(Elsewhere::Own), ..Package::new(Ecosystem::Npm, "moment", "") };
    let report = ask(app);
    assert!(report.matches.is_empty() && report.unread.is_empty());
    for (odd, why) in [
        ("", "`moment` has no version"),
        ("1.2.3.4.5", "`1.2.3.4.5` is no version of npm that can be compared"),
        ("18446744073709551616.0.0", "`18446744073709551616.0.0` is no version of npm that can be compared"),
    ] {
        let report = ask(Package::new(Ecosystem::Npm, "moment", odd));
        assert_eq!(report.unread[0].why, why);
        assert!(!report.is_complete());
    }
}

/// Nobody follows Java here: its packages are unknown, never clean.
#[test]
fn java_is_not_covered() {
    let report = ask(Package::new(Ecosystem::Maven, "org.apache.logging.log4j:log4j-core", "2.14.1"));
    assert!(report.matches.is_empty() && !report.is_complete());
    let coverage = &report.coverage[0];
    assert_eq!((coverage.ecosystem, coverage.packages), (Ecosystem::Maven, 1));
    let Covered::None { why } = &coverage.covered else { panic!("{coverage:?}") };
    assert!(why.contains("does not follow these packages"), "{why}");
}

#[test]
fn finds_node_by_line() {
    let report = ask(Package::new(Ecosystem::Node, "node", "20.20.1"));
    let found = report.matches.iter().find(|found| found.id == "CVE-2026-21717").unwrap();
    assert_eq!(found.fix, Fix::Version { version: "20.20.2".to_owned() });
    assert!(
        !ask(Package::new(Ecosystem::Node, "node", "20.20.2"))
            .matches
            .iter()
            .any(|found| found.id == "CVE-2026-21717")
    );
}

#[test]
fn an_unlisted_debian_package_is_not_affected_and_an_unlisted_release_is_unknown() {
    let clean = ask(deb("12", "kiln-no-such-package", "1.0"));
    assert!(clean.matches.is_empty() && clean.is_complete());
    let unknown = ask(deb("13", "zlib", "1:1.3.dfsg+really1.3.1-1"));
    assert!(unknown.matches.is_empty() && !unknown.is_complete());
    assert!(matches!(unknown.coverage[0].covered, Covered::None { .. }));
    let old = ask(deb("9", "kiln-no-such-package", "1.0"));
    assert!(matches!(old.coverage[0].covered, Covered::Partial { .. }));
}

#[test]
fn debian_is_matched_by_source_and_release() {
    let affected = ask(deb("11", "zlib", "1:1.2.11.dfsg-2"));
    let found = affected.matches.iter().find(|found| found.id == "CVE-2022-37434").unwrap();
    assert!(found.fixed_in().is_some());
    assert!(
        !ask(deb("12", "zlib", "1:1.2.13.dfsg-1")).matches.iter().any(|found| found.id == "CVE-2022-37434")
    );
}

#[test]
fn opens_and_answers_fast() {
    let start = Instant::now();
    let database = black_box(Database::embedded());
    let opened = start.elapsed();
    let packages = (0..1500)
        .map(|at| Package::new(Ecosystem::Npm, ["lodash", "moment", "left-pad"][at % 3], "1.0.0"))
        .collect();
    let start = Instant::now();
    let report = check(&database, &inventory(packages), &at_once()).unwrap();
    println!(
        "opened in {opened:?}, 1500 packages in {:?}, {} matches",
        start.elapsed(),
        report.matches.len()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn never_panics_on_mutated_bytes(changes in prop::collection::vec((0_usize..4096, any::<u8>()), 1..20), cut in 0_usize..100_000) {
        let bytes = small();
        let mut bytes = bytes.get(..bytes.len().min(cut.max(100))).unwrap().to_vec();
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        // Past the checksums, to what they protect.
        if let Ok(database) = Database::trusted(&bytes) {
            let _ = database.verify();
            let packages = vec![Package::new(Ecosystem::Npm, "a", "1.0.0"), Package::new(Ecosystem::Npm, "b", "1.0.0")];
            let _ = check(&database, &inventory(packages), &at_once());
        }
    }
}

/// A database of two packages, small enough that mutations hit everything.
fn small() -> Vec<u8> {
    use kiln_vuln::build::{Feed, FeedKind, build};
    let lines = br#"{"id":"GHSA-wc69-rhjr-hc9g","aliases":["CVE-2022-31129"],"published":"2022-07-06","affected":[{"package":{"ecosystem":"npm","name":"a"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.0.0"}]}]}]}
{"id":"NSWG-ECO-1","affected":[{"package":{"ecosystem":"npm","name":"b"},"ranges":[{"type":"SEMVER","events":[{"introduced":"1.0.0"}],"database_specific":{"upper_bound":"unknown"}}]}]}"#;
    let feed = Feed {
        kind: FeedKind::Npm,
        name: "npm",
        source: "test",
        as_of: "2024-01-01".parse().unwrap(),
        lines,
        supplement: None,
    };
    build(&[feed]).unwrap()
}

#[test]
fn a_lost_upper_bound_is_affected_and_not_fixable() {
    let bytes = small();
    let database = Database::open(&bytes).unwrap();
    let packages = vec![Package::new(Ecosystem::Npm, "b", "9.0.0")];
    let report = check(&database, &inventory(packages), &at_once()).unwrap();
    assert_eq!(report.matches[0].fix, Fix::Unknown);
}
