#![no_main]
//! Any bytes as a VEX document: read or refused, the same after it was written, and applied without an accident.

use kiln_attest::Vex;
use kiln_finding::Severity;
use kiln_oci::Digest;
use kiln_pkg::{Ecosystem, Package};
use kiln_vuln::{Fix, Match, VexSource, VexTarget, VulnerabilityReport, apply_vex};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = Vex::read(bytes) else { return };
    let written = document.to_openvex("2026-01-01T00:00:00Z").to_string();
    let again = Vex::read(written.as_bytes());
    if document
        .statements
        .iter()
        .all(|statement| statement.products.iter().all(|product| !product.ids.is_empty()))
    {
        assert_eq!(again.expect("what is written can be read").statements.len(), document.statements.len());
    }
    let package = Package::new(Ecosystem::Npm, "@scope/a", "1.0.0");
    let mut report = VulnerabilityReport {
        end_of_life: Vec::new(),
        unseen: Vec::new(),
        matches: vec![Match::new("CVE-2026-1", Severity::High, &package, Fix::None)],
        suppressed: Vec::new(),
        coverage: Vec::new(),
        unread: Vec::new(),
        database: Digest::of(b"database"),
        as_of: None,
    };
    let target = VexTarget {
        name: Some("example.invalid/a".to_owned()),
        tag: Some("1".to_owned()),
        digests: vec![Digest::of(b"image")],
    };
    let uses = apply_vex(&mut report, &target, &[VexSource { place: "fuzz".to_owned(), document }]);
    let applied: usize = uses.iter().map(|used| used.applied).sum();
    assert_eq!((report.matches.len() + report.suppressed.len(), report.suppressed.len()), (1, applied));
});
