#![no_main]
//! Roots of trust, what a mirror of them answers, and patterns for names: read or refused, in bounded time.

use std::sync::Arc;

use kiln_finding::Cause;
use kiln_trust::{Mirror, NamePattern, Published, TrustRoot};
use libfuzzer_sys::fuzz_target;

/// Answers everything alike.
struct Fixed(Vec<u8>);

impl Mirror for Fixed {
    fn document(&self, _: &str, max: u64) -> Result<Option<Vec<u8>>, Cause> {
        Ok(Some(self.0.clone()).filter(|bytes| bytes.len() as u64 <= max))
    }
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(known) = Published::read(bytes) {
        assert_eq!(Published::read(&known.to_bytes()).expect("it was written"), known);
        drop(known.trusted_root());
        assert!(known.refresh(Arc::new(Fixed(bytes.to_vec())), 0).is_err(), "made up, and yet proven");
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    drop(TrustRoot::read(text));
    assert!(
        Published::begin("m", text).refresh(Arc::new(Fixed(bytes.to_vec())), 0).is_err(),
        "nobody published that"
    );
    if let Some((pattern, name)) = text.split_once('\n')
        && let Ok(pattern) = NamePattern::parse(pattern)
    {
        pattern.is_match(name);
    }
});
