#![no_main]
//! Kept facts of a layer, behind the digest that a damaged file would not have: what is read is written again as it was.

use kiln_inventory::{CATALOG, LayerFacts, combine};
use kiln_oci::Digest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let body = [&catalog(), bytes].concat();
    let kept = [b"KILNFA01", &Digest::of(&body).as_bytes()[..], &body].concat();
    if let Some(facts) = LayerFacts::from_bytes(&kept) {
        let again = LayerFacts::from_bytes(&facts.to_bytes()).expect("what was read is written");
        assert_eq!(again, facts);
        drop(combine(&[facts]));
    }
    assert!(LayerFacts::from_bytes(bytes).is_none());
});

/// The number of the catalog as facts begin with it: LEB128.
fn catalog() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = CATALOG;
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}
