//! The client of the conformance suite, run as the suite runs it: on bundles that are right, and on each of them with one
//! thing changed.
#![expect(clippy::unwrap_used, reason = "tests")]

#[expect(dead_code, reason = "other tests use the rest")]
mod instance;

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use kiln_oci::Digest;
use kiln_trust::PublicKey;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::instance::{Instance, Leaf};

const ISSUER: &str = "https://issuer.example.invalid";
const SUBJECT: &str = "https://example.invalid/workflow";
/// What the instance makes statements about.
const FILE: &[u8] = b"image";

/// The program. `cargo test --test` does not build examples.
fn client() -> &'static PathBuf {
    static CLIENT: OnceLock<PathBuf> = OnceLock::new();
    CLIENT.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        let build = ["build", "--quiet", "--package", "kiln-trust", "--example", "sigstore-conformance"];
        assert!(cargo.args(build).current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success());
        // Beside the folder of this test.
        let folder = std::env::current_exe().unwrap();
        folder.parent().unwrap().parent().unwrap().join("examples/sigstore-conformance")
    })
}

/// An instance, a signer, and what lies on the disk of whoever verifies.
struct World {
    folder: TempDir,
    instance: Instance,
    leaf: Leaf,
}

impl World {
    fn new() -> Self {
        let (folder, instance) = (tempfile::tempdir().unwrap(), Instance::new());
        let world = Self { folder, instance, leaf: Leaf::new(ISSUER, SUBJECT) };
        world.write("artifact", FILE);
        world.write("other", b"another");
        world.write("root.json", world.instance.trusted_root().as_bytes());
        let key = PublicKey::from_spki(&world.leaf.spki()).unwrap();
        world.write("key.pub", key.to_pem().as_bytes());
        let other = PublicKey::from_spki(&Leaf::new(ISSUER, SUBJECT).spki()).unwrap();
        world.write("other.pub", other.to_pem().as_bytes());
        world
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    /// Why it is refused, if it is.
    fn refusal(&self, args: &[&str]) -> Option<String> {
        let mut command = Command::new(client());
        let run = command.args(args).current_dir(self.folder.path()).output().unwrap();
        let why = String::from_utf8(run.stderr).unwrap();
        match run.status.code() {
            Some(0) => None,
            Some(1) if !why.trim().is_empty() => Some(why),
            other => panic!("{args:?} ended with {other:?}: {why}"),
        }
    }

    fn run(&self, args: &[&str]) -> bool {
        self.refusal(args).is_none()
    }

    fn verification(&self, bundle: &Value, by: &[&str], subject: &str) -> Option<String> {
        self.write("bundle.json", bundle.to_string().as_bytes());
        let first = ["verify-bundle", "--bundle", "bundle.json"];
        self.refusal(&[&first[..], by, &["--trusted-root", "root.json", subject]].concat())
    }

    fn verifies(&self, bundle: &Value, by: &[&str], subject: &str) -> bool {
        self.verification(bundle, by, subject).is_none()
    }

    #[track_caller]
    fn refuses(&self, bundle: &Value, by: &[&str], subject: &str, reason: &str) {
        let why =
            self.verification(bundle, by, subject).unwrap_or_else(|| panic!("{reason}: it is accepted"));
        assert!(why.contains(reason), "not for {reason:?}, but: {why}");
    }
}

const BY_IDENTITY: [&str; 4] = ["--certificate-identity", SUBJECT, "--certificate-oidc-issuer", ISSUER];
const BY_KEY: [&str; 2] = ["--key", "key.pub"];

fn parsed(bundle: &str) -> Value {
    serde_json::from_str(bundle).unwrap()
}

#[test]
fn files_and_digests_are_verified_by_identity() {
    let world = World::new();
    let digest = Digest::of(FILE).to_string();
    for bundle in [world.instance.sign_file(&world.leaf, FILE, false), world.instance.sign(&world.leaf)] {
        let bundle = parsed(&bundle);
        for subject in ["artifact", &digest] {
            assert!(world.verifies(&bundle, &BY_IDENTITY, subject), "{subject}");
        }
        for subject in ["other", &Digest::of(b"another").to_string()] {
            world.refuses(&bundle, &BY_IDENTITY, subject, "artifact mismatch");
        }
        world.refuses(&bundle, &BY_KEY, "artifact", "made with a certificate, not with a key");
        let someone = ["--certificate-identity", "someone", "--certificate-oidc-issuer", ISSUER];
        world.refuses(&bundle, &someone, "artifact", "the subject of the certificate is");
        let elsewhere =
            ["--certificate-identity", SUBJECT, "--certificate-oidc-issuer", "https://other.invalid"];
        world.refuses(&bundle, &elsewhere, "artifact", "the issuer of the certificate is");
    }
}

#[test]
fn files_and_digests_are_verified_by_key() {
    let world = World::new();
    let bundle = parsed(&world.instance.sign_file(&world.leaf, FILE, true));
    for subject in ["artifact", &Digest::of(FILE).to_string()] {
        assert!(world.verifies(&bundle, &BY_KEY, subject), "{subject}");
    }
    world.refuses(&bundle, &BY_KEY, "other", "the file is not what was signed");
    world.refuses(&bundle, &["--key", "other.pub"], "artifact", "the signature is not by this key");
    world.refuses(&bundle, &BY_IDENTITY, "artifact", "made with a key, not with a certificate");
    world.refuses(&bundle, &[&BY_KEY[..], &BY_IDENTITY].concat(), "artifact", "a key has no identity");
}

/// What the suite's own broken bundles are about, made anew; each is refused for what is wrong with it.
#[test]
fn one_thing_wrong_is_refused() {
    let world = World::new();
    let other = Instance::new();
    let zeros = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    for by in [&BY_IDENTITY[..], &BY_KEY] {
        let by_key = by == BY_KEY;
        // Who has a certificate, and who has a key: the same is seen from two sides.
        let reason = |certificate: &'static str, key: &'static str| if by_key { key } else { certificate };
        let both = |reason: &'static str| reason;
        let good = parsed(&world.instance.sign_file(&world.leaf, FILE, by_key));
        assert!(world.verifies(&good, by, "artifact"));
        let again = parsed(&world.instance.sign_file(&world.leaf, FILE, by_key));
        let elsewhere = parsed(&other.sign_file(&world.leaf, FILE, by_key));
        let entries = "/verificationMaterial/tlogEntries".to_owned();
        let entry = |path: &str| format!("{entries}/0/{path}");
        let of = |bundle: &Value| bundle.pointer(&entries).unwrap().clone();
        let body = good.pointer(&entry("canonicalizedBody")).unwrap().as_str().unwrap().to_owned();
        let no_proof = both("bundle must have an inclusion proof");
        let promise = both("invalid inclusion promise: SET verification failed");
        for (pointer, value, reason) in [
            (
                "/mediaType".to_owned(),
                json!("application/vnd.dev.sigstore.bundle+json;version=0.9"),
                both("of another version"),
            ),
            (
                "/messageSignature/signature".to_owned(),
                again["messageSignature"]["signature"].clone(),
                both("signature in bundle does not match signature in Rekor entry"),
            ),
            (
                "/messageSignature/messageDigest/digest".to_owned(),
                json!(zeros),
                reason(
                    "message digest in bundle does not match artifact hash",
                    "the file is not what was signed",
                ),
            ),
            (
                "/messageSignature/messageDigest/algorithm".to_owned(),
                json!("SHA2_512"),
                both("another digest than SHA-256"),
            ),
            (entries.clone(), json!([]), no_proof),
            (
                entries.clone(),
                of(&again),
                reason("certificate in bundle does not match", "signature in bundle does not match"),
            ),
            (entries.clone(), of(&elsewhere), reason("No log key valid", "No matching Rekor key found")),
            (
                entry("canonicalizedBody"),
                json!(format!("AA{}", &body[2..])),
                reason(promise, "inclusion proof verification failed: root hash mismatch"),
            ),
            (entry("inclusionProof"), Value::Null, no_proof),
            (
                entry("inclusionProof/checkpoint/envelope"),
                json!("log\n1\nAAAA\n\n"),
                both("Invalid checkpoint format: invalid root hash"),
            ),
            (
                entry("inclusionProof/rootHash"),
                json!(zeros),
                both("inclusion proof root hash does not match checkpoint root hash"),
            ),
            (entry("inclusionProof/treeSize"), json!("0"), both("log index 0 out of range for tree size 0")),
            (entry("inclusionPromise/signedEntryTimestamp"), json!("MAYCAQECAQE="), promise),
            (entry("integratedTime"), json!("1767323046"), promise),
            (entry("logId/keyId"), json!(zeros), both("No log key valid at integrated time")),
            (entry("kindVersion/kind"), json!("dsse"), both("incompatible with a message signature")),
        ] {
            let mut bad = good.clone();
            *bad.pointer_mut(&pointer).unwrap() = value;
            world.refuses(&bad, by, "artifact", reason);
        }
        let mut unknown = good.clone();
        unknown["extra"] = json!(1);
        world.refuses(&unknown, by, "artifact", "unknown field `extra`");
    }
    let stranger = parsed(&other.sign_file(&world.leaf, FILE, false));
    world.refuses(&stranger, &BY_IDENTITY, "artifact", "No log key valid");
}

/// Both spellings of the type, and the older versions with their chain of certificates.
#[test]
fn bundles_are_read_in_every_spelling() {
    let world = World::new();
    let good = parsed(&world.instance.sign_file(&world.leaf, FILE, false));
    let typed = |bundle: &Value, kind: &str| {
        let mut bundle = bundle.clone();
        bundle["mediaType"] = json!(format!("application/vnd.dev.sigstore.bundle{kind}"));
        bundle
    };
    for kind in [".v0.3+json", "+json;version=0.3"] {
        assert!(world.verifies(&typed(&good, kind), &BY_IDENTITY, "artifact"), "{kind}");
    }
    let mut chained = good.clone();
    let certificate = chained["verificationMaterial"].as_object_mut().unwrap().remove("certificate").unwrap();
    chained["verificationMaterial"]["x509CertificateChain"] = json!({ "certificates": [certificate] });
    for version in ["0.1", "0.2"] {
        let bundle = typed(&chained, &format!("+json;version={version}"));
        assert!(world.verifies(&bundle, &BY_IDENTITY, "artifact"), "{version}");
    }
    world.refuses(&chained, &BY_IDENTITY, "artifact", "a chain of certificates");
}

#[test]
fn what_is_asked_wrongly_is_refused() {
    let world = World::new();
    let bundle = world.instance.sign_file(&world.leaf, FILE, false);
    world.write("bundle.json", bundle.as_bytes());
    let verify = ["verify-bundle", "--bundle", "bundle.json", "--trusted-root", "root.json"];
    assert!(world.run(&[&verify[..], &BY_IDENTITY, &["artifact"]].concat()));
    for (args, reason) in [
        (&[][..], "no file is named"),
        (&["artifact"], "--certificate-identity is missing"),
        (&["--certificate-identity", SUBJECT, "artifact"], "--certificate-oidc-issuer is missing"),
        (&["--certificate-oidc-issuer", ISSUER, "artifact"], "--certificate-identity is missing"),
        (&["--certificate-identity", "", "--certificate-oidc-issuer", "", "artifact"], "cannot be asked for"),
        (&["--unknown", "artifact"], "--unknown is not known"),
        (&["--key"], "--key lacks its value"),
        (&["--key", "missing.pub", "artifact"], "No such file"),
    ] {
        let why = world.refusal(&[&verify[..], args].concat()).unwrap();
        assert!(why.contains(reason), "not for {reason:?}, but: {why}");
    }
    assert!(!world.run(&["sign", "artifact"]));
    let sign = [
        "sign-bundle",
        "--identity-token",
        "no token",
        "--bundle",
        "out.json",
        "--trusted-root",
        "root.json",
    ];
    assert!(!world.run(&[&sign[..], &["artifact"]].concat()));
    assert!(!world.folder.path().join("out.json").exists());
}
