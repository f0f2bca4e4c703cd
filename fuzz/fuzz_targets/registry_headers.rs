#![no_main]
//! `WWW-Authenticate` and `Link` as a registry could send them.

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for challenge in kiln_registry::challenge::parse(text) {
        assert!(!challenge.scheme.is_empty());
        assert!(challenge.parameters.keys().all(|name| !name.contains(char::is_uppercase)));
    }
    if let Some(address) = kiln_registry::link::next(text) {
        assert!(text.contains(address) && !address.contains('>'));
    }
});
