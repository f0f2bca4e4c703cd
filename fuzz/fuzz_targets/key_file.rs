#![no_main]
//! Files of private and public keys.

use kiln_sign::KeyPair;
use kiln_trust::PublicKey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    drop(KeyPair::read(text, ""));
    if let Ok(key) = PublicKey::read(text) {
        assert_eq!(
            PublicKey::read(&key.to_pem()).expect("what is written can be read").to_pem(),
            key.to_pem()
        );
    }
});
