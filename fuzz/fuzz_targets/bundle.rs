#![no_main]
//! A signature bundle: it is read or refused, written back as it was, and never taken for signed.

use kiln_attest::{Bundle, Statement, predicate};
use kiln_oci::Digest;
use kiln_trust::{PublicKey, verify_bundle, verify_image};
use libfuzzer_sys::fuzz_target;

/// The generator of P-256: a point of the curve whose private key, 1, signs nothing here.
const POINT: &str = "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
                     4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

fuzz_target!(|bytes: &[u8]| {
    let key = PublicKey::from_point(&hex::decode(POINT).expect("hex")).expect("a point of the curve");
    let image = Digest::of(b"image");
    assert!(verify_bundle(bytes, &key, &image, predicate::SIGNATURE).is_err(), "made up, and yet signed");
    let report = verify_image(&image, &[bytes.to_vec()], &key, &[predicate::SIGNATURE]);
    assert!(!report.is_satisfied(), "made up, and yet signed");
    if let Ok(bundle) = Bundle::read(bytes) {
        let again = Bundle::read(&bundle.to_bytes()).expect("what is written can be read");
        assert_eq!(again.to_bytes(), bundle.to_bytes());
    }
    drop(Statement::read(bytes));
});
