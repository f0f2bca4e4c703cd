//! Node.js core: for every record of the feed and every published version, the snapshot says what the project's own rule says.
//! `tests/data/node-truth.txt` was recorded with the real `semver` by `ci/record-node-truth`.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};

use kiln_pkg::{Ecosystem, Inventory, Package};
use kiln_vuln::{Database, Date, Terms, check};

const RECORDED: &str = include_str!("data/node-truth.txt");

/// The versions, and which of them each record affects.
fn recorded() -> (Vec<&'static str>, BTreeMap<&'static str, BTreeSet<usize>>) {
    let mut lines = RECORDED.lines();
    let versions = lines.next().unwrap().split(' ').collect();
    let record = |line: &'static str| {
        let mut words = line.split(' ');
        let id = words.next().unwrap();
        let runs = words.flat_map(|run| {
            let (first, last) = run.split_once('-').unwrap();
            first.parse::<usize>().unwrap()..=last.parse::<usize>().unwrap()
        });
        (id, runs.collect())
    };
    (versions, lines.map(record).collect())
}

#[test]
fn every_version_has_the_vulnerabilities_that_the_projects_rule_gives_it() {
    let (versions, records) = recorded();
    assert!(
        versions.len() > 800 && records.len() > 150,
        "{} versions, {} records",
        versions.len(),
        records.len()
    );
    let database = Database::embedded();
    let slice = database.slice(Ecosystem::Node, None).unwrap();
    let advisories = database.lookup(slice, "node").unwrap();
    // An advisory may be made of several records that share a CVE.
    let of = |record: &str| {
        let is = |id: &String| id == record;
        advisories.iter().find(|advisory| is(&advisory.id) || advisory.aliases.iter().any(is)).unwrap()
    };
    let mut expected: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (record, affected) in &records {
        expected.entry(&of(record).id).or_default().extend(affected);
    }
    for (at, version) in versions.iter().enumerate() {
        let packages = vec![Package::new(Ecosystem::Node, "node", *version)];
        let report =
            check(&database, &Inventory { packages, ..Inventory::default() }, &Terms::on(Date::default()))
                .unwrap();
        let found: BTreeSet<&str> = report.matches.iter().map(|found| found.id.as_str()).collect();
        let wanted: BTreeSet<&str> =
            expected.iter().filter(|(_, affected)| affected.contains(&at)).map(|(id, _)| *id).collect();
        assert_eq!(found, wanted, "Node.js {version}");
    }
}
