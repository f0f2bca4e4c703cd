//! Signing and verifying are two halves of one law: what was signed is accepted, and nothing else is.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::OnceLock;

use kiln_attest::{Statement, predicate};
use kiln_finding::Diagnose;
use kiln_oci::{Descriptor, Digest, Manifest, media_type};
use kiln_sign::{KeyPair, attach};
use kiln_trust::{Authority, ImageRule, PublicKey, Requirement, Rule, bundles, verify_bundle, verify_image};
use proptest::prelude::*;

fn key() -> &'static KeyPair {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    KEY.get_or_init(|| KeyPair::generate().unwrap())
}

fn authority() -> Authority {
    key().public().unwrap().into()
}

fn image() -> Digest {
    Digest::of(b"image")
}

fn signed(predicate_type: &str) -> Vec<u8> {
    let statement = Statement::about(&image(), predicate_type, serde_json::json!({"a": 1}));
    key().sign(&statement).unwrap().to_bytes()
}

#[test]
fn what_was_signed_is_accepted() {
    let verified = verify_bundle(&signed(predicate::SPDX), &authority(), &image(), predicate::SPDX).unwrap();
    assert_eq!(verified.get().predicate.as_ref().unwrap()["a"], 1);
}

#[test]
fn another_key_image_or_type_is_refused() {
    let bundle = signed(predicate::SPDX);
    let public = key().public().unwrap();
    let other = KeyPair::generate().unwrap().public().unwrap();
    let code = |key: &PublicKey, image: &Digest, wanted: &str| {
        verify_bundle(&bundle, &key.clone().into(), image, wanted).unwrap_err().code()
    };
    assert_eq!(code(&other, &image(), predicate::SPDX), "trust.signature");
    assert_eq!(code(&public, &Digest::of(b"other"), predicate::SPDX), "trust.subject");
    assert_eq!(code(&public, &image(), predicate::SIGNATURE), "trust.predicate");
}

#[test]
fn an_sbom_is_no_signature() {
    let report = verify_image(
        &image(),
        &bundles(&image(), [signed(predicate::SPDX), b"{}".to_vec()]),
        &authority(),
        &[predicate::SIGNATURE, predicate::SPDX].map(Requirement::of),
    );
    assert!(!report.is_satisfied());
    assert_eq!(report.outcomes.iter().map(|outcome| outcome.found).collect::<Vec<_>>(), [false, true]);
    assert_eq!(report.rejected().next().unwrap().1.code, "trust.malformed");
}

/// Of two who may scan, the newer scan counts, whoever made it.
#[test]
fn a_newer_scan_by_another_authority_is_not_outvoted() {
    let (one, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let scan = |key: &KeyPair, day: u32, severity: &str| {
        let predicate = serde_json::json!({
            "scanner": { "result": { "matches": [{ "severity": severity }] } },
            "metadata": { "scanFinishedOn": format!("2026-01-{day:02}T00:00:00Z") },
        });
        let statement = Statement::about(&image(), predicate::VULNERABILITIES, predicate);
        key.sign(&statement).unwrap().to_bytes()
    };
    let rules = vec![Rule::NoCritical { now: 1_800_000_000 }];
    let rule = ImageRule {
        images: Vec::new(),
        authorities: [&one, &other].map(|key| key.public().unwrap().into()).into(),
        required: vec![Requirement { rules, ..Requirement::of(predicate::VULNERABILITIES) }],
    };
    let verdict = |first: (u32, &str), second: (u32, &str)| {
        let found = bundles(&image(), [scan(&one, first.0, first.1), scan(&other, second.0, second.1)]);
        rule.verify(&image(), &found).is_satisfied()
    };
    assert!(verdict((1, "low"), (2, "low")));
    assert!(!verdict((1, "low"), (2, "critical")));
    assert!(!verdict((2, "critical"), (1, "low")));
    assert!(verdict((2, "low"), (1, "critical")));
}

#[test]
fn requiring_nothing_is_not_satisfied_by_nothing() {
    assert!(!verify_image(&image(), &[], &authority(), &[]).is_satisfied());
}

#[test]
fn key_files_open_with_their_password_only() {
    let file = key().to_file("secret").unwrap();
    assert!(file.starts_with("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n"));
    let again = KeyPair::read(&file, "secret").unwrap();
    assert_eq!(again.public().unwrap(), key().public().unwrap());
    assert_eq!(KeyPair::read(&file, "").unwrap_err().code(), "sign.password");
}

#[test]
fn key_files_cannot_ask_for_unbounded_work() {
    use base64::Engine;
    let engine = base64::engine::general_purpose::STANDARD;
    let file = key().to_file("").unwrap();
    let body: String = file.lines().filter(|line| !line.starts_with("-----")).collect();
    let json = String::from_utf8(engine.decode(body).unwrap()).unwrap();
    for (from, to) in
        [("\"N\":65536", "\"N\":1073741824"), ("\"r\":8", "\"r\":65536"), ("\"p\":1", "\"p\":64")]
    {
        let hostile = json.replace(from, to);
        assert_ne!(hostile, json);
        let label = "ENCRYPTED SIGSTORE PRIVATE KEY";
        let pem = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", engine.encode(hostile));
        assert_eq!(KeyPair::read(&pem, "").unwrap_err().code(), "sign.key_format");
    }
}

#[test]
fn public_keys_read_back() {
    let public = key().public().unwrap();
    assert_eq!(PublicKey::read(&public.to_pem()).unwrap(), public);
    assert!(PublicKey::read("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----").is_err());
}

#[test]
fn the_referrer_points_to_its_image() {
    let image = Descriptor::of(media_type::MANIFEST, b"image");
    let statement = Statement::about(&image.digest, predicate::SIGNATURE, serde_json::json!({}));
    let attachment =
        attach(&key().sign(&statement).unwrap(), predicate::SIGNATURE, &image, "2026-01-01T00:00:00Z");
    let manifest: Manifest = serde_json::from_slice(&attachment.manifest.1).unwrap();
    assert_eq!(manifest.subject.unwrap().digest, image.digest);
    assert_eq!(manifest.artifact_type.as_deref(), Some(media_type::SIGSTORE_BUNDLE));
    assert_eq!(manifest.layers[0].digest, Digest::of(&attachment.bundle.1));
    assert_eq!(attachment.config.0.digest, Digest::of(b"{}"));
}

proptest! {
    #[test]
    fn one_changed_byte_is_refused(at: prop::sample::Index, byte: u8) {
        let mut bundle = signed(predicate::SPDX);
        let at = at.index(bundle.len());
        prop_assume!(bundle[at] != byte);
        let good = bundle.clone();
        bundle[at] = byte;
        let verified = verify_bundle(&bundle, &authority(), &image(), predicate::SPDX);
        // Only what is not signed may differ: the key hint, and white space between tokens.
        if verified.is_ok() {
            let hint = kiln_attest::Bundle::read(&bundle).unwrap();
            let good = kiln_attest::Bundle::read(&good).unwrap();
            prop_assert_eq!(hint.content, good.content);
        }
    }
}
