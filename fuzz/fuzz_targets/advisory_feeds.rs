#![no_main]
//! Any bytes as an advisory feed: recognised or not, refused or compiled; and what is compiled opens, whole.

use kiln_pkg::{Ecosystem, Inventory, Package};
use kiln_vuln::build::{Builder, Recognised};
use kiln_vuln::{Database, Date, Terms, check};
use libfuzzer_sys::fuzz_target;

/// One feed after another, so that documents that make a database together are found, too.
const SEPARATOR: &[u8] = b"\n----\n";

fuzz_target!(|bytes: &[u8]| {
    let today = "2026-01-01".parse().expect("a date");
    let mut builder = Builder::default();
    let mut rest = bytes;
    loop {
        let end = rest.windows(SEPARATOR.len()).position(|window| window == SEPARATOR);
        let document = &rest[..end.unwrap_or(rest.len())];
        let recognised = Builder::recognise(document);
        let added = builder.add("feed", document, None);
        assert!(added.is_err() || recognised == Recognised::Feed, "taken, and yet no feed");
        let Some(end) = end else { break };
        rest = &rest[end + SEPARATOR.len()..];
    }
    let Ok(compiled) = builder.finish(today) else { return };
    let database = Database::open(&compiled).expect("what is compiled opens");
    database.verify().expect("and is whole");
    let packages = Ecosystem::ALL.map(|ecosystem| Package::new(ecosystem, "a", "1.0.0")).to_vec();
    check(&database, &Inventory { packages, ..Inventory::default() }, &Terms::on(Date::default()))
        .expect("and answers");
});
