//! Unknown never passes.
#![expect(clippy::unwrap_used, reason = "tests")]

use kiln_finding::{Fact, Severity};
use kiln_policy::{Evidence, Exception, Outcome, Overrides, PolicySettings, Stage, judge};
use kiln_vuln::{Covered, Date};
use proptest::prelude::*;

/// What may be wrong with a world, one bit each.
const CHANGES: &[fn(&mut Evidence)] = &[
    |world| edit(&mut world.config, |config| config.config.user.clear()),
    |world| edit(&mut world.config, |config| config.config.healthcheck = None),
    |world| edit(&mut world.config, |config| config.config.exposed_ports.clear()),
    |world| edit(&mut world.size, |size| size.compressed = u64::MAX),
    |world| edit(&mut world.inventory, |inventory| inventory.packages[2].dev = true),
    |world| edit(&mut world.inventory, |inventory| inventory.packages.clear()),
    |world| edit(&mut world.vulnerabilities, |report| report.coverage.clear()),
    |world| {
        edit(&mut world.vulnerabilities, |report| {
            let why = "none".to_owned();
            report.coverage.iter_mut().for_each(|group| group.covered = Covered::None { why: why.clone() });
        });
    },
    |world| edit(&mut world.lock, |lock| lock.without_integrity.push("x@1".to_owned())),
    |world| edit(&mut world.lock, |lock| lock.file.clear()),
    |world| edit(&mut world.base, |base| base.digest = None),
    |world| edit(&mut world.archive, |archive| archive.age_days = 99),
    |world| edit(&mut world.attestations, Vec::clear),
];

/// Every fact, replaced by not knowing.
const BLINDS: &[fn(&mut Evidence)] = &[
    |world| world.config = Fact::Unknown("?".to_owned()),
    |world| world.size = Fact::Unknown("?".to_owned()),
    |world| world.inventory = Fact::Unknown("?".to_owned()),
    |world| world.vulnerabilities = Fact::Unknown("?".to_owned()),
    |world| world.lock = Fact::Unknown("?".to_owned()),
    |world| world.base = Fact::Unknown("?".to_owned()),
    |world| world.archive = Fact::Unknown("?".to_owned()),
    |world| world.sources = Fact::Unknown("?".to_owned()),
    |world| world.attestations = Fact::Unknown("?".to_owned()),
];

fn edit<T>(fact: &mut Fact<T>, change: impl FnOnce(&mut T)) {
    if let Fact::Known(value) = fact {
        change(value);
    }
}

fn apply(world: &mut Evidence, table: &[fn(&mut Evidence)], bits: u32) {
    table.iter().enumerate().filter(|(bit, _)| bits & (1 << bit) != 0).for_each(|(_, change)| change(world));
}

fn settings(excuses: bool) -> PolicySettings {
    let exception = |check: &&kiln_policy::Check| Exception {
        id: check.id.to_owned(),
        subject: "*".to_owned(),
        reason: "a test".to_owned(),
        owner: "nobody".to_owned(),
        expires: Date::from_days(30_000),
    };
    let exceptions =
        if excuses { kiln_policy::CHECKS.iter().take(9).map(exception).collect() } else { vec![] };
    // Everything that can be asked is asked.
    let overrides = Overrides { committed_sources: Some(true), ..Overrides::default() };
    PolicySettings::new(&overrides, exceptions).unwrap()
}

proptest! {
    #[test]
    fn knowing_less_never_helps(
        wrong in 0_u32..1 << 13, blind in 0_u32..1 << 8, excuses: bool, attested: bool,
    ) {
        let stage = if attested { Stage::Attested } else { Stage::Built };
        let settings = settings(excuses);
        let mut world = Evidence::fake();
        apply(&mut world, CHANGES, wrong);
        let before = judge(&world, &settings, stage);
        apply(&mut world, BLINDS, blind);
        let after = judge(&world, &settings, stage);
        prop_assert!(before.passes() || !after.passes());
        for (before, after) in before.lines.iter().zip(&after.lines) {
            prop_assert!(before.outcome.passes() || !after.outcome.passes(), "{before:?} {after:?}");
        }
    }
}

#[test]
fn every_single_fact_is_needed() {
    for blind in BLINDS {
        let mut world = Evidence::fake();
        blind(&mut world);
        assert!(!judge(&world, &settings(true), Stage::Attested).passes());
    }
}

#[test]
fn of_nothing_known_nothing_passes() {
    let fake = Evidence::fake();
    let world = Evidence::unknown(fake.subject, fake.today, "?");
    let card = judge(&world, &settings(true), Stage::Attested);
    assert_eq!(card.lines.len(), kiln_policy::CHECKS.len());
    assert!(card.lines.iter().all(|line| line.outcome == Outcome::Unknown && line.cure.is_some()));
}

#[test]
fn a_card_that_asks_nothing_does_not_pass() {
    let overrides = Overrides { checks: Some(Vec::new()), ..Overrides::default() };
    let settings = PolicySettings::new(&overrides, Vec::new()).unwrap();
    assert!(!judge(&Evidence::fake(), &settings, Stage::Attested).passes());
}

#[test]
fn evidence_and_card_survive_json() {
    let evidence = Evidence::fake();
    let text = serde_json::to_string(&evidence).unwrap();
    let back: Evidence = serde_json::from_str(&text).unwrap();
    assert_eq!(back, evidence);
    let card = judge(&back, &PolicySettings::hardened(), Stage::Attested);
    let text = serde_json::to_string(&card).unwrap();
    assert_eq!(serde_json::from_str::<kiln_policy::Scorecard>(&text).unwrap(), card);
}

#[test]
fn old_advisories_answer_nothing_where_a_limit_is_set() {
    let overrides = Overrides {
        advisories_max_age: Some(kiln_vuln::MaxAge::days(2)),
        severities: Some(vec![Severity::Critical]),
        ..Overrides::default()
    };
    let settings = PolicySettings::new(&overrides, Vec::new()).unwrap();
    let card = judge(&Evidence::fake(), &settings, Stage::Built);
    let unknown: Vec<_> = card
        .lines
        .iter()
        .filter(|line| line.outcome == Outcome::Unknown)
        .map(|line| line.id.as_str())
        .collect();
    assert_eq!(unknown, ["PK001", "PK002"]);
}

#[test]
fn what_is_from_no_registry_is_unknown_until_somebody_names_it() {
    let mut world = Evidence::fake();
    let from = kiln_pkg::Elsewhere::of_npm("git+https://host.invalid/a/ms.git#c0ffee");
    edit(&mut world.inventory, |inventory| inventory.packages[2].elsewhere = from);
    edit(&mut world.vulnerabilities, |report| {
        report.coverage[1].packages = 1;
        let why = "not from the registry".to_owned();
        let covered = Covered::None { why };
        let group =
            kiln_vuln::Coverage { elsewhere: true, feed: None, covered, ..report.coverage[1].clone() };
        report.coverage.push(group);
    });
    let outcome = |names: &[&str]| {
        let from_elsewhere = Some(names.iter().map(|name| (*name).to_owned()).collect());
        let overrides = Overrides { from_elsewhere, ..Overrides::default() };
        let card = judge(&world, &PolicySettings::new(&overrides, Vec::new()).unwrap(), Stage::Built);
        let line = card.lines.iter().find(|line| line.id == "PK001").unwrap();
        (line.outcome, line.reason.clone())
    };
    let (unknown, why) = outcome(&["other"]);
    assert_eq!(unknown, Outcome::Unknown);
    assert_eq!(why, "no advisory names 1 package from no registry: ms");
    assert_eq!(outcome(&["ms"]).0, Outcome::Pass);
}
