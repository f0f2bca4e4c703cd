//! Signatures with certificates, by an authority and a log of the tests' own: made in this process, faithful to Fulcio and
//! Rekor v1. Each test takes what is right and changes one thing.
#![expect(clippy::unwrap_used, reason = "tests")]

mod instance;
mod published;

use kiln_attest::predicate::SIGNATURE;
use kiln_finding::Diagnose;
use kiln_trust::{
    Authority, Certified, Claim, Identity, Matcher, PublicKey, Requirement, Signer, TrustRoot, bundles,
    verify_bundle, verify_image,
};
use proptest::prelude::*;

use crate::instance::{Instance, Leaf, NOW, image};

const ISSUER: &str = "https://issuer.example.invalid";
const YEAR: i64 = 365 * 86_400;
const SUBJECT: &str = "https://example.invalid/org/app/.github/workflows/ship.yml@refs/heads/main";

fn identity(issuer: &str, subject: &str) -> Identity {
    let exact = |text: &str| Matcher::exact(text).unwrap();
    Identity { issuer: exact(issuer), subject: exact(subject), claims: Vec::new() }
}

fn authority(instance: &Instance, identity: Identity) -> Authority {
    let root = TrustRoot::read(&instance.trusted_root()).unwrap();
    Authority::Certificate(Box::new(Certified {
        root: root.into(),
        identity,
        needs_certificate_log: false,
        logs: 1,
    }))
}

fn right(instance: &Instance) -> Authority {
    authority(instance, identity(ISSUER, SUBJECT))
}

fn leaf() -> Leaf {
    Leaf::new(ISSUER, SUBJECT)
}

#[track_caller]
fn refused(bundle: &str, authority: &Authority, code: &str, why: &str) {
    let error = verify_bundle(bundle.as_bytes(), authority, &image(), SIGNATURE).unwrap_err();
    assert!(error.code() == code && error.to_string().contains(why), "{}: {error}", error.code());
}

#[test]
fn what_is_right_is_accepted_and_says_who() {
    let instance = Instance::new();
    let bundle = instance.sign(&leaf());
    let verified = verify_bundle(bundle.as_bytes(), &right(&instance), &image(), SIGNATURE).unwrap();
    let signed_at = Some("2026-01-02T03:04:05Z".to_owned());
    let expected = Signer::Certificate { issuer: ISSUER.to_owned(), subject: SUBJECT.to_owned(), signed_at };
    assert_eq!(verified.signer(), &expected);
}

#[test]
fn issuer_and_subject_are_asked_whole() {
    let instance = Instance::new();
    let bundle = instance.sign(&leaf());
    let identity_of = |issuer: Matcher, subject: Matcher| {
        authority(&instance, Identity { issuer, subject, claims: Vec::new() })
    };
    let exact = |text: &str| Matcher::exact(text).unwrap();
    let pattern = |text: &str| Matcher::pattern(text).unwrap();
    let fine = identity_of(exact(ISSUER), pattern("https://example.invalid/org/.*"));
    verify_bundle(bundle.as_bytes(), &fine, &image(), SIGNATURE).unwrap();
    for (wrong, what) in [
        (identity_of(exact("https://other.invalid"), exact(SUBJECT)), "issuer"),
        (identity_of(pattern("issuer"), exact(SUBJECT)), "issuer"),
        (identity_of(exact(ISSUER), exact("https://example.invalid/org/app")), "subject"),
        (identity_of(exact(ISSUER), pattern("https://example.invalid/or")), "subject"),
        (identity_of(exact(ISSUER), pattern("example.invalid/org/.*")), "subject"),
    ] {
        refused(&bundle, &wrong, "trust.identity", &format!("the {what} of the certificate"));
    }
}

#[test]
fn claims_are_asked_too() {
    let instance = Instance::new();
    let leaf = Leaf { claims: vec![(12, "https://example.invalid/org/app"), (15, "4711")], ..leaf() };
    let bundle = instance.sign(&leaf);
    let with = |claim: Claim, text: &str| {
        let claims = vec![(claim, Matcher::exact(text).unwrap())];
        authority(&instance, Identity { claims, ..identity(ISSUER, SUBJECT) })
    };
    let check =
        |authority: &Authority| verify_bundle(bundle.as_bytes(), authority, &image(), SIGNATURE).is_ok();
    assert!(check(&with(Claim::SourceRepository, "https://example.invalid/org/app")));
    assert!(check(&with(Claim::SourceRepositoryId, "4711")));
    refused(&bundle, &with(Claim::SourceRepositoryId, "4712"), "trust.identity", "source-repository-id");
    refused(&bundle, &with(Claim::Trigger, "push"), "trust.identity", "trigger");
}

/// CVE-2022-23649, CVE-2022-36056, CVE-2026-22703: a log entry that belongs to something else.
#[test]
fn the_entry_of_another_signature_is_refused() {
    let instance = Instance::new();
    let mine: serde_json::Value = serde_json::from_str(&instance.sign(&leaf())).unwrap();
    let mut other: serde_json::Value = serde_json::from_str(&instance.sign(&leaf())).unwrap();
    other["verificationMaterial"]["tlogEntries"] = mine["verificationMaterial"]["tlogEntries"].clone();
    refused(&other.to_string(), &right(&instance), "trust.certificate", "");
    other["verificationMaterial"]["tlogEntries"] = serde_json::json!([]);
    refused(&other.to_string(), &right(&instance), "trust.certificate", "");
}

/// CVE-2026-24122 and clocks that are wrong by a year: every certificate is good at the time that the log proves.
#[test]
fn certificates_count_in_their_time_only() {
    let instance = Instance::new();
    for (from, to) in [(NOW - 2 * YEAR, NOW - YEAR), (NOW + YEAR, NOW + 2 * YEAR), (NOW - 60, NOW - 1)] {
        let bundle = instance.sign(&Leaf { valid: (from, to), ..leaf() });
        refused(&bundle, &right(&instance), "trust.certificate", "");
    }
    let over = Instance { trusted: (NOW - 2 * YEAR, NOW - YEAR), ..Instance::new() };
    refused(&over.sign(&leaf()), &right(&over), "trust.certificate", "");
    let expired = Instance::with_authority_until(NOW - 1);
    refused(&expired.sign(&leaf()), &right(&expired), "trust.certificate", "");
}

#[test]
fn others_authorities_and_logs_count_for_nothing() {
    let (instance, other) = (Instance::new(), Instance::new());
    refused(&other.sign(&leaf()), &right(&instance), "trust.certificate", "");
    let mixed = Instance { log: other.log, ..Instance::new() };
    refused(&instance.sign_in_log_of(&leaf(), &mixed), &right(&instance), "trust.certificate", "");
}

/// A trusted root of the instance, with these changes.
fn root_with(instance: &Instance, change: impl FnOnce(&mut serde_json::Value)) -> TrustRoot {
    let mut root = serde_json::from_str(&instance.trusted_root()).unwrap();
    change(&mut root);
    TrustRoot::read(&root.to_string()).unwrap()
}

fn by_root(root: TrustRoot, logs: usize) -> Authority {
    let identity = identity(ISSUER, SUBJECT);
    let certified = Certified { root: root.into(), identity, needs_certificate_log: false, logs };
    Authority::Certificate(Box::new(certified))
}

/// CVE-2026-54787: what a key of a log signed when it no longer counted.
#[test]
fn keys_of_logs_count_in_their_time_only() {
    let instance = Instance::new();
    let bundle = instance.sign(&leaf());
    for (start, end) in [(NOW - 2 * YEAR, NOW - YEAR), (NOW + YEAR, NOW + 2 * YEAR)] {
        let root = root_with(&instance, |root| {
            let window = serde_json::json!({ "start": instance::time(start), "end": instance::time(end) });
            root["tlogs"][0]["publicKey"]["validFor"] = window;
        });
        refused(&bundle, &by_root(root, 1), "trust.certificate", "");
    }
}

/// CVE-2026-49834: as many entries as one likes are still one log.
#[test]
fn logs_are_counted_and_not_entries() {
    let (instance, second) = (Instance::new(), Instance::new());
    let with_both = || {
        root_with(&instance, |root| {
            let other: serde_json::Value = serde_json::from_str(&second.trusted_root()).unwrap();
            root["tlogs"].as_array_mut().unwrap().push(other["tlogs"][0].clone());
        })
    };
    let both = instance.sign_in_logs_of(&leaf(), &[&instance, &second]);
    verify_bundle(both.as_bytes(), &by_root(with_both(), 2), &image(), SIGNATURE).unwrap();
    let twice = instance.sign_in_logs_of(&leaf(), &[&instance, &instance]);
    verify_bundle(twice.as_bytes(), &by_root(with_both(), 1), &image(), SIGNATURE).unwrap();
    refused(&twice, &by_root(with_both(), 2), "trust.logs", "1 of the logs");
    // An entry that gives itself out as one of the other log's.
    let mut lying: serde_json::Value = serde_json::from_str(&twice).unwrap();
    let names: serde_json::Value = serde_json::from_str(&both).unwrap();
    let (to, from) = (
        &mut lying["verificationMaterial"]["tlogEntries"][1],
        &names["verificationMaterial"]["tlogEntries"][1],
    );
    to["logId"] = from["logId"].clone();
    refused(&lying.to_string(), &by_root(with_both(), 2), "trust.certificate", "");
    // A root with one log can never count two.
    let root = TrustRoot::read(&instance.trusted_root()).unwrap();
    refused(&both, &by_root(root, 2), "trust.certificate", "");
}

#[test]
fn what_is_for_other_uses_signs_nothing() {
    let instance = Instance::new();
    let bundle = instance.sign(&Leaf { signs_code: false, ..leaf() });
    refused(&bundle, &right(&instance), "trust.certificate", "");
}

#[test]
fn a_root_without_certificate_logs_accepts_nothing_that_must_be_logged() {
    let instance = Instance::new();
    let root = TrustRoot::read(&instance.trusted_root()).unwrap();
    assert!(!root.has_certificate_logs() && root.has_logs());
    let identity = identity(ISSUER, SUBJECT);
    let certified = Certified { root: root.into(), identity, needs_certificate_log: true, logs: 1 };
    let strict = Authority::Certificate(Box::new(certified));
    refused(&instance.sign(&leaf()), &strict, "trust.certificate", "");
}

#[test]
fn keys_and_certificates_do_not_stand_in_for_each_other() {
    let instance = Instance::new();
    let leaf = leaf();
    let bundle = instance.sign(&leaf);
    let key = PublicKey::from_spki(&leaf.spki()).unwrap();
    refused(&bundle, &Authority::from(key.clone()), "trust.no_key", "");
    let mut by_key: serde_json::Value = serde_json::from_str(&bundle).unwrap();
    by_key["verificationMaterial"] = serde_json::json!({ "publicKey": { "hint": key.hint() } });
    assert!(verify_bundle(by_key.to_string().as_bytes(), &key.into(), &image(), SIGNATURE).is_ok());
    refused(&by_key.to_string(), &right(&instance), "trust.no_certificate", "");
}

#[test]
fn the_signature_of_a_file_is_no_statement_about_an_image() {
    let instance = Instance::new();
    let leaf = leaf();
    for by_key in [false, true] {
        let bundle = instance.sign_file(&leaf, b"image", by_key);
        let key = PublicKey::from_spki(&leaf.spki()).unwrap();
        refused(&bundle, &right(&instance), "trust.malformed", "holds no statement");
        refused(&bundle, &key.into(), "trust.malformed", "holds no statement");
    }
}

/// CVE-2022-35929: a right statement of another type.
#[test]
fn the_type_of_the_statement_is_asked() {
    let instance = Instance::new();
    let bundle = instance.sign(&leaf());
    let found = bundles(&image(), [bundle.into_bytes(), b"{".to_vec()]);
    let report =
        verify_image(&image(), &found, &right(&instance), &[Requirement::of("https://spdx.dev/Document")]);
    assert!(!report.is_satisfied());
    assert_eq!((report.statements.len(), report.rejected().count()), (1, 1));
    let report = verify_image(&image(), &found, &right(&instance), &[Requirement::of(SIGNATURE)]);
    assert!(report.is_satisfied());
}

#[test]
fn roots_that_trust_nobody_are_refused() {
    let instance = Instance::new();
    let mut root: serde_json::Value = serde_json::from_str(&instance.trusted_root()).unwrap();
    root["certificateAuthorities"] = serde_json::json!([]);
    for broken in ["", "{}", "[]", &root.to_string()] {
        assert_eq!(TrustRoot::read(broken).unwrap_err().code(), "trust.root", "{broken}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Any one byte of a bundle: certificate, proof, checkpoint, promise, payload, signature.
    #[test]
    fn one_changed_byte_is_refused(at: prop::sample::Index, byte: u8) {
        use std::sync::OnceLock;
        static WORLD: OnceLock<(Instance, String, Authority)> = OnceLock::new();
        let (_, good, authority) = WORLD.get_or_init(|| {
            let instance = Instance::new();
            let (bundle, authority) = (instance.sign(&leaf()), right(&instance));
            (instance, bundle, authority)
        });
        let mut bytes = good.clone().into_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        if verify_bundle(&bytes, authority, &image(), SIGNATURE).is_ok() {
            // What neither is signed nor means anything: the name in front of a checkpoint's signature, white space, and
            // the second writing of a base64 text's last bits.
            let same = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).unwrap();
            let (mut was, mut is) = (same(good.as_bytes()), same(&bytes));
            for value in [&mut was, &mut is] {
                instance::without_the_unsigned(value);
            }
            prop_assert_eq!(was, is);
        }
    }
}
