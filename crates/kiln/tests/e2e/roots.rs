//! `kiln trust`: roots of trust out of a TUF repository that python-tuf publishes.

use std::fs;
use std::path::Path;
use std::process::Command;

use kiln_oci::Digest;
use serde_json::{Value, json};

use crate::harness::{Run, World, needs, project};
use crate::images::vulnerable;
use crate::peers::{Server, serve_folder};

/// A world with a repository of roots.
struct Publisher {
    world: World,
}

impl Publisher {
    fn new() -> Option<Self> {
        if !needs(&["tuf"]) {
            return None;
        }
        let this = Self { world: World::new() };
        this.publish("1", &[]);
        Some(this)
    }

    /// Publishes a trusted root with an authority of its own, as this version.
    fn publish(&self, version: &str, more: &[&str]) {
        let path = |name: &str| self.world.path(name).display().to_string();
        let mut openssl = Command::new("openssl");
        openssl.args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "30",
        ]);
        openssl.args([
            "-subj",
            "/O=example.invalid",
            "-outform",
            "DER",
            "-keyout",
            &path("ca.key"),
            "-out",
            &path("ca.der"),
        ]);
        Run::of(&mut openssl).exits(0);
        let base64 = Run::of(Command::new("base64").args(["-w0", &path("ca.der")])).exits(0).stdout;
        let root = json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "certificateAuthorities": [{
                "subject": { "organization": "example.invalid", "commonName": "" },
                "uri": "https://ca.example.invalid",
                "certChain": { "certificates": [{ "rawBytes": base64 }] },
                "validFor": { "start": "2020-01-01T00:00:00Z" },
            }],
            "tlogs": [], "ctlogs": [], "timestampAuthorities": [],
        });
        fs::write(self.world.path("trusted_root.json"), root.to_string()).unwrap();
        let mut publish = Command::new(project().join("target/peers/bin/python"));
        publish.arg(project().join("ci/publish_tuf.py"));
        publish.args([&path("tuf"), &path("trusted_root.json"), version]).args(more);
        Run::of(&mut publish).exits(0);
    }

    fn repository(&self) -> String {
        self.world.path("tuf/repository").display().to_string()
    }

    fn update(&self, mirror: &str) -> Run {
        let root = self.world.path("tuf/repository/1.root.json").display().to_string();
        self.world.run(["trust", "update", "--mirror", mirror, "--root", &root])
    }

    fn status(&self) -> Value {
        self.world.run(["trust", "status", "--format", "json"]).exits(0).json()
    }

    fn kept(&self) -> Vec<u8> {
        fs::read(self.world.data("trust.json")).unwrap_or_default()
    }

    /// What `kiln verify` says of an image that nobody signed.
    fn verify(&self, image: &str) -> Run {
        let who = [
            "--certificate-identity",
            "a@example.invalid",
            "--certificate-oidc-issuer",
            "https://example.invalid",
        ];
        self.world.run([&["verify", image, "--explain", "--offline"], &who[..]].concat())
    }
}

#[test]
fn roots_are_brought_over_the_network_and_used_without_it() {
    let Some(publisher) = Publisher::new() else { return };
    let image = vulnerable(&publisher.world);
    assert_eq!(publisher.status(), json!({ "known": false }));
    let unknown = publisher.verify(&image).exits(2);
    assert!(unknown.stderr.contains("kiln trust update --mirror"), "{}", unknown.stderr);

    let (server, mirror) = serve_folder(Path::new(&publisher.repository()));
    let updated = publisher.update(&mirror).exits(0);
    assert!(updated.stdout.contains("today") && updated.stdout.contains(&mirror), "{}", updated.stdout);
    publisher.world.run(["trust", "update"]).exits(0);
    drop::<Server>(server);
    let explained = publisher.verify(&image).exits(1).stdout;
    assert!(explained.contains(&format!("by the roots of {mirror}, 0 days old")), "{explained}");
    // A mirror that is away changes nothing.
    let before = publisher.kept();
    let away = publisher.world.run(["trust", "update"]).exits(3);
    assert!(away.stderr.contains("nothing has changed"), "{}", away.stderr);
    assert_eq!(publisher.kept(), before);
}

#[test]
fn cosign_reads_the_same_repository() {
    if !needs(&["cosign"]) {
        return;
    }
    let Some(publisher) = Publisher::new() else { return };
    let (_server, mirror) = serve_folder(Path::new(&publisher.repository()));
    let root = publisher.world.path("tuf/repository/1.root.json");
    let mut cosign = Command::new("cosign");
    cosign
        .args(["initialize", "--mirror", &mirror, "--root"])
        .arg(&root)
        .env("HOME", publisher.world.path("home"));
    Run::of(&mut cosign).exits(0);
    publisher.update(&mirror).exits(0);
}

#[test]
fn what_is_published_later_replaces_what_was_and_never_the_other_way() {
    let Some(publisher) = Publisher::new() else { return };
    let repository = publisher.repository();
    publisher.update(&repository).exits(0);
    let first = publisher.kept();
    publisher.publish("2", &[]);
    let target = |bytes: &[u8]| {
        serde_json::from_slice::<Value>(bytes).unwrap()["metadata"]["targets/trusted_root.json"].clone()
    };
    publisher.world.run(["trust", "update"]).exits(0);
    let second = publisher.kept();
    assert_ne!(target(&first), target(&second));
    // The old version is signed, too.
    publisher.publish("1", &[]);
    publisher.world.run(["trust", "update"]).exits(3);
    // Naming root and mirror anew does not forget what is known.
    publisher.update(&repository).exits(3);
    assert_eq!(Digest::of(&publisher.kept()), Digest::of(&second));
    publisher.publish("3", &["expired"]);
    let stale = publisher.world.run(["trust", "update"]).exits(3);
    assert!(stale.stderr.contains("expired"), "{}", stale.stderr);
}

#[test]
fn roots_are_used_for_some_days_only() {
    let Some(publisher) = Publisher::new() else { return };
    let image = vulnerable(&publisher.world);
    publisher.update(&publisher.repository()).exits(0);
    let mut kept: Value = serde_json::from_slice(&publisher.kept()).unwrap();
    let checked = kept["checked"].as_i64().unwrap();
    let mut aged = |days: i64| {
        kept["checked"] = json!(checked - days * 86_400);
        fs::write(publisher.world.data("trust.json"), kept.to_string()).unwrap();
        publisher.verify(&image)
    };
    aged(29).exits(1);
    let old = aged(31).exits(2);
    assert!(old.stderr.contains("error[trust.root_age]") && old.stderr.contains("31 days"), "{}", old.stderr);
    fs::write(publisher.world.path("kiln.toml"), "[trust]\nmax-root-age = 40\n").unwrap();
    aged(31).exits(1);
    // A clock that was wrong by a year makes roots look as if they came from the future.
    aged(-365).exits(2);
    // A file that is named has no such age, unless kiln.toml limits it, too.
    let named = |toml: &str| {
        fs::write(publisher.world.path("kiln.toml"), toml).unwrap();
        publisher.verify(&image)
    };
    let explained = named("[trust]\ntrusted-root = 'trusted_root.json'\n").exits(1).stdout;
    assert!(explained.contains("by trusted_root.json, 0 days old"), "{explained}");
}

#[test]
fn damaged_roots_are_not_taken_for_none() {
    let Some(publisher) = Publisher::new() else { return };
    let image = vulnerable(&publisher.world);
    publisher.update(&publisher.repository()).exits(0);
    let kept = publisher.kept();
    fs::write(publisher.world.data("trust.json"), &kept[..kept.len() / 2]).unwrap();
    let damaged = publisher.verify(&image);
    assert_eq!(damaged.code, Some(3), "{damaged:?}");
    assert!(damaged.stderr.contains("bring the roots again"), "{}", damaged.stderr);
    let missing = publisher.world.run(["trust", "update", "--mirror", "x"]).exits(2);
    assert!(missing.stderr.contains("--root"), "{}", missing.stderr);
}
