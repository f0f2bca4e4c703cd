#![no_main]
//! A signature bundle: it is read or refused, written back as it was, and never taken for signed.

use kiln_attest::{Bundle, Statement, predicate};
use kiln_oci::Digest;
use kiln_trust::{Authority, PublicKey, Requirement, bundles, verify_bundle, verify_image};
use libfuzzer_sys::fuzz_target;

/// The generator of P-256, as a key: its private half, 1, signs nothing here.
const SPKI: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
                     4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

fuzz_target!(|bytes: &[u8]| {
    let key = PublicKey::from_spki(&hex::decode(SPKI).expect("hex")).expect("a key");
    let key = Authority::from(key);
    let image = Digest::of(b"image");
    assert!(verify_bundle(bytes, &key, &image, predicate::SIGNATURE).is_err(), "made up, and yet signed");
    let report =
        verify_image(&image, &bundles(&image, [bytes.to_vec()]), &key, &[Requirement::of(predicate::SIGNATURE)]);
    assert!(!report.is_satisfied(), "made up, and yet signed");
    if let Ok(bundle) = Bundle::read(bytes) {
        let again = Bundle::read(&bundle.to_bytes()).expect("what is written can be read");
        assert_eq!(again.to_bytes(), bundle.to_bytes());
    }
    drop(Statement::read(bytes));
});
