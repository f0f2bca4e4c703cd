//! Roots of trust out of a TUF repository, which each test makes as it should be and changes in one thing.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use kiln_finding::Cause;
use kiln_oci::Digest;
use kiln_trust::{Mirror, Published};
use serde_json::{Value, json};

use crate::instance::Instance;

const NOW: i64 = 1_800_000_000;

/// A repository: its key, and what it publishes.
struct Repository {
    key: Ed25519KeyPair,
    files: BTreeMap<String, Vec<u8>>,
}

impl Mirror for Repository {
    fn document(&self, path: &str, max: u64) -> Result<Option<Vec<u8>>, Cause> {
        let found = self.files.get(path);
        assert!(found.is_none_or(|bytes| bytes.len() as u64 <= max), "{path} is asked for with {max} bytes");
        Ok(found.cloned())
    }
}

impl Repository {
    fn new() -> Self {
        Self { key: Ed25519KeyPair::generate().unwrap(), files: BTreeMap::new() }
    }

    /// One with a trusted root and everything of this version.
    fn of_version(mut self, version: u64, expires: &str) -> Self {
        let root = Instance::new().trusted_root();
        self.publish(version, expires, &[("trusted_root.json", root.as_bytes())]);
        self
    }

    fn keys(&self) -> Value {
        json!({ "key": { "keytype": "ed25519", "scheme": "ed25519",
            "keyval": { "public": hex(self.key.public_key().as_ref()) } } })
    }

    /// The root metadata of `version`, signed by this key.
    fn root(&self, version: u64) -> Vec<u8> {
        self.root_of_threshold(version, 1)
    }

    fn root_of_threshold(&self, version: u64, threshold: u64) -> Vec<u8> {
        let role = json!({ "keyids": ["key"], "threshold": threshold });
        let roles = json!({ "root": role, "timestamp": role, "snapshot": role, "targets": role });
        self.signed(json!({
            "_type": "root", "spec_version": "1.0.31", "version": version, "expires": "2999-01-01T00:00:00Z",
            "consistent_snapshot": true, "keys": self.keys(), "roles": roles,
        }))
    }

    fn publish(&mut self, version: u64, expires: &str, targets: &[(&str, &[u8])]) {
        let meta = |kind: &str, rest: Value| {
            let mut signed =
                json!({ "_type": kind, "spec_version": "1.0.31", "version": version, "expires": expires });
            signed.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            signed
        };
        let mut listed = BTreeMap::new();
        for (name, bytes) in targets {
            let digest = Digest::of(bytes);
            self.files.insert(format!("targets/{}.{name}", digest.hex()), bytes.to_vec());
            listed.insert(name, json!({ "length": bytes.len(), "hashes": { "sha256": digest.hex() } }));
        }
        let targets = self.signed(meta("targets", json!({ "targets": listed })));
        let snapshot = meta("snapshot", json!({ "meta": { "targets.json": { "version": version } } }));
        let snapshot = self.signed(snapshot);
        let timestamp = meta("timestamp", json!({ "meta": { "snapshot.json": { "version": version } } }));
        let timestamp = self.signed(timestamp);
        self.files.insert(format!("{version}.targets.json"), targets);
        self.files.insert(format!("{version}.snapshot.json"), snapshot);
        self.files.insert("timestamp.json".to_owned(), timestamp);
    }

    fn signed(&self, signed: Value) -> Vec<u8> {
        // What is signed is canonical JSON, which for these plain texts is what is written of sorted keys.
        let sorted: BTreeMap<String, Value> = serde_json::from_value(signed.clone()).unwrap();
        let signature = self.key.sign(&serde_json::to_vec(&sorted).unwrap());
        let signatures = json!([{ "keyid": "key", "sig": hex(signature.as_ref()) }]);
        serde_json::to_vec(&json!({ "signed": signed, "signatures": signatures })).unwrap()
    }

    fn begin(&self) -> Published {
        Published::begin("https://roots.example.invalid", std::str::from_utf8(&self.root(1)).unwrap())
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

const LATER: &str = "2090-01-01T00:00:00Z";

#[track_caller]
fn refused(known: &Published, repository: Repository, why: &str) {
    let error = known.refresh(Arc::new(repository), NOW).unwrap_err();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    assert!(text.contains(why), "{text}");
}

#[test]
fn what_is_published_is_proven_and_kept() {
    let repository = Repository::new().of_version(3, LATER);
    let begun = repository.begin();
    let known = begun.refresh(Arc::new(repository), NOW).unwrap();
    assert_eq!((known.version(), known.checked()), (1, NOW));
    known.trusted_root().unwrap();
    assert_eq!(known.signing_config(), None);
    assert_eq!(Published::read(&known.to_bytes()).unwrap(), known);
    assert!(known.begins_like(&begun));
    begun.trusted_root().unwrap_err();
}

#[test]
fn a_newer_root_is_followed_from_the_one_that_is_trusted() {
    let mut repository = Repository::new().of_version(1, LATER);
    let begun = repository.begin();
    repository.files.insert("2.root.json".to_owned(), repository.root(2));
    assert_eq!(begun.refresh(Arc::new(repository), NOW).unwrap().version(), 2);

    let mut repository = Repository::new().of_version(1, LATER);
    repository.files.insert("2.root.json".to_owned(), Repository::new().root(2));
    refused(&repository.begin(), repository, "signature");
}

#[test]
fn nobody_goes_back_behind_what_is_known() {
    let mut repository = Repository::new().of_version(5, LATER);
    let begun = repository.begin();
    let older = Repository { key: reloaded(&repository.key), files: BTreeMap::new() }.of_version(4, LATER);
    let kept = std::mem::take(&mut repository.files);
    let known = begun.refresh(Arc::new(Repository { files: kept, ..repository }), NOW).unwrap();
    refused(&known, older, "version");
}

/// The same key again, for it cannot be cloned.
fn reloaded(key: &Ed25519KeyPair) -> Ed25519KeyPair {
    Ed25519KeyPair::from_pkcs8(key.to_pkcs8().unwrap().as_ref()).unwrap()
}

#[test]
fn what_is_stale_wrong_or_missing_is_refused() {
    let repository = Repository::new().of_version(1, "2020-01-01T00:00:00Z");
    refused(&repository.begin(), repository, "expired");

    let repository = Repository::new().of_version(1, LATER);
    refused(&Repository::new().begin(), repository, "signature");

    let mut repository = Repository::new().of_version(1, LATER);
    let target = repository.files.keys().find(|name| name.starts_with("targets/")).unwrap().clone();
    repository.files.get_mut(&target).unwrap()[0] ^= 1;
    refused(&repository.begin(), repository, "trusted_root.json");

    let mut repository = Repository::new().of_version(1, LATER);
    repository.files.remove("timestamp.json");
    refused(&repository.begin(), repository, "timestamp.json");

    let mut repository = Repository::new();
    repository.publish(1, LATER, &[("other.json", b"{}")]);
    refused(&repository.begin(), repository, "trusted_root.json");

    let repository = Repository::new().of_version(1, LATER);
    refused(&Published::begin("x", "{}"), repository, "");
}

/// CVE-2026-23992: nobody need sign where none are asked for.
#[test]
fn a_root_that_asks_for_no_signature_is_refused() {
    let repository = Repository::new().of_version(1, LATER);
    for (threshold, why) in [(0, "threshold"), (2, "signature")] {
        let anchor = repository.root_of_threshold(1, threshold);
        let begun = Published::begin("https://roots.example.invalid", std::str::from_utf8(&anchor).unwrap());
        let same = Repository { key: reloaded(&repository.key), files: repository.files.clone() };
        refused(&begun, same, why);
    }
}

#[test]
fn a_file_that_is_something_else_is_refused() {
    for text in
        ["", "{}", "[]", r#"{"mirror":"x","anchor":"{}","metadata":{},"checked":0,"expires":0,"more":1}"#]
    {
        Published::read(text.as_bytes()).unwrap_err();
    }
}
