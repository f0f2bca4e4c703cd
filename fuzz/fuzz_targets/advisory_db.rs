#![no_main]
//! An advisory database with any bytes of it changed, and any bytes as a database.

use std::sync::LazyLock;

use kiln_pkg::{Ecosystem, Inventory, Package};
use kiln_vuln::build::{Feed, FeedKind, build};
use kiln_vuln::{Database, Date, Terms, check};
use libfuzzer_sys::fuzz_target;

const FEED: &[u8] = br#"{"id":"GHSA-wc69-rhjr-hc9g","aliases":["CVE-2022-31129"],"published":"2022-07-06","affected":[{"package":{"ecosystem":"npm","name":"a"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.0.0"}]}]}]}
{"id":"NSWG-ECO-1","affected":[{"package":{"ecosystem":"npm","name":"b"},"ranges":[{"type":"SEMVER","events":[{"introduced":"1.0.0"},{"last_affected":"3.0.0"}]}]}]}"#;

/// Small, so that changes hit everything.
static DATABASE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let as_of = "2024-01-01".parse().expect("a date");
    let feed =
        Feed { kind: FeedKind::Npm, name: "npm", source: "fuzz", as_of, lines: FEED, supplement: None };
    build(&[feed]).expect("a small feed")
});

fn ask(bytes: &[u8]) {
    // Past the checksums, to what they protect.
    let Ok(database) = Database::trusted(bytes) else { return };
    drop(database.verify());
    let package = |name| Package::new(Ecosystem::Npm, name, "1.5.0");
    let inventory = Inventory { packages: vec![package("a"), package("b")], ..Inventory::default() };
    drop(check(&database, &inventory, &Terms::on(Date::default())));
    for slice in database.slices() {
        drop(database.lookup(slice, "a"));
    }
}

fuzz_target!(|bytes: &[u8]| {
    ask(bytes);
    let mut changed = DATABASE.clone();
    for change in bytes.as_chunks::<3>().0 {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % changed.len();
        changed[at] = change[2];
    }
    ask(&changed);
});
