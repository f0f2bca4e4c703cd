//! The client of the conformance suite, run as the suite runs it: on bundles that are right, and on each of them with one
//! thing changed.
#![expect(clippy::unwrap_used, reason = "tests")]

#[expect(dead_code, reason = "other tests use the rest")]
mod instance;

use std::path::PathBuf;
use std::process::{Command, Stdio};
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

    fn run(&self, args: &[&str]) -> bool {
        let mut command = Command::new(client());
        let run = command.args(args).current_dir(self.folder.path()).stderr(Stdio::null());
        match run.status().unwrap().code() {
            Some(0) => true,
            Some(1) => false,
            other => panic!("{args:?} ended with {other:?}"),
        }
    }

    fn verifies(&self, bundle: &Value, by: &[&str], subject: &str) -> bool {
        self.write("bundle.json", bundle.to_string().as_bytes());
        let first = ["verify-bundle", "--bundle", "bundle.json"];
        self.run(&[&first[..], by, &["--trusted-root", "root.json", subject]].concat())
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
        assert!(!world.verifies(&bundle, &BY_IDENTITY, "other"));
        assert!(!world.verifies(&bundle, &BY_IDENTITY, &Digest::of(b"another").to_string()));
        assert!(!world.verifies(&bundle, &BY_KEY, "artifact"));
        let someone = ["--certificate-identity", "someone", "--certificate-oidc-issuer", ISSUER];
        assert!(!world.verifies(&bundle, &someone, "artifact"));
        let elsewhere =
            ["--certificate-identity", SUBJECT, "--certificate-oidc-issuer", "https://other.invalid"];
        assert!(!world.verifies(&bundle, &elsewhere, "artifact"));
    }
}

#[test]
fn files_and_digests_are_verified_by_key() {
    let world = World::new();
    let bundle = parsed(&world.instance.sign_file(&world.leaf, FILE, true));
    for subject in ["artifact", &Digest::of(FILE).to_string()] {
        assert!(world.verifies(&bundle, &BY_KEY, subject), "{subject}");
    }
    assert!(!world.verifies(&bundle, &BY_KEY, "other"));
    assert!(!world.verifies(&bundle, &["--key", "other.pub"], "artifact"));
    assert!(!world.verifies(&bundle, &BY_IDENTITY, "artifact"));
    assert!(
        !world.verifies(&bundle, &[&BY_KEY[..], &BY_IDENTITY].concat(), "artifact"),
        "a key has no identity"
    );
}

/// What the suite's own broken bundles are about, made anew.
#[test]
fn one_thing_wrong_is_refused() {
    let world = World::new();
    let other = Instance::new();
    let material = "verificationMaterial";
    for (bundle, by) in [
        (world.instance.sign_file(&world.leaf, FILE, false), &BY_IDENTITY[..]),
        (world.instance.sign_file(&world.leaf, FILE, true), &BY_KEY),
    ] {
        let good = parsed(&bundle);
        assert!(world.verifies(&good, by, "artifact"));
        let again = parsed(&world.instance.sign_file(&world.leaf, FILE, by == BY_KEY));
        let elsewhere = parsed(&other.sign_file(&world.leaf, FILE, by == BY_KEY));
        let entry = |path: &str| format!("/{material}/tlogEntries/0/{path}");
        let text = |pointer: &str| good.pointer(pointer).unwrap().clone();
        let body = text(&entry("canonicalizedBody"));
        for (pointer, value) in [
            ("/mediaType".to_owned(), json!("application/vnd.dev.sigstore.bundle+json;version=0.9")),
            ("/messageSignature/signature".to_owned(), again["messageSignature"]["signature"].clone()),
            (
                "/messageSignature/messageDigest/digest".to_owned(),
                json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
            ),
            ("/messageSignature/messageDigest/algorithm".to_owned(), json!("SHA2_512")),
            (format!("/{material}/tlogEntries"), json!([])),
            (format!("/{material}/tlogEntries"), again[material]["tlogEntries"].clone()),
            (format!("/{material}/tlogEntries"), elsewhere[material]["tlogEntries"].clone()),
            (entry("canonicalizedBody"), json!(format!("AA{}", &body.as_str().unwrap()[2..]))),
            (entry("inclusionProof"), Value::Null),
            (entry("inclusionProof/checkpoint/envelope"), json!("log\n1\nAAAA\n\n")),
            (entry("inclusionProof/rootHash"), json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")),
            (entry("inclusionProof/treeSize"), json!("0")),
            (entry("inclusionPromise/signedEntryTimestamp"), json!("MAYCAQECAQE=")),
            (entry("integratedTime"), json!("1767323046")),
            (entry("logId/keyId"), json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")),
            (entry("kindVersion/kind"), json!("dsse")),
        ] {
            let mut bad = good.clone();
            *bad.pointer_mut(&pointer).unwrap() = value;
            assert!(!world.verifies(&bad, by, "artifact"), "{pointer} by {by:?}");
        }
        let mut unknown = good.clone();
        unknown["extra"] = json!(1);
        assert!(!world.verifies(&unknown, by, "artifact"));
    }
    let stranger = parsed(&other.sign_file(&world.leaf, FILE, false));
    assert!(!world.verifies(&stranger, &BY_IDENTITY, "artifact"));
}

#[test]
fn what_is_asked_wrongly_is_refused() {
    let world = World::new();
    let bundle = world.instance.sign_file(&world.leaf, FILE, false);
    world.write("bundle.json", bundle.as_bytes());
    let verify = ["verify-bundle", "--bundle", "bundle.json", "--trusted-root", "root.json"];
    assert!(world.run(&[&verify[..], &BY_IDENTITY, &["artifact"]].concat()));
    for args in [
        &[][..],
        &["artifact"],
        &["--certificate-identity", SUBJECT, "artifact"],
        &["--certificate-oidc-issuer", ISSUER, "artifact"],
        &["--certificate-identity", "", "--certificate-oidc-issuer", "", "artifact"],
        &["--unknown", "artifact"],
        &["--key"],
        &["--key", "missing.pub", "artifact"],
    ] {
        assert!(!world.run(&[&verify[..], args].concat()), "{args:?}");
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
