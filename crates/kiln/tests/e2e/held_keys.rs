//! Keys that stay where they are: in SoftHSM by PKCS #11, and behind a plugin that sigstore's own library answers in.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use crate::harness::{Run, World, needs, project};
use crate::images::vulnerable;
use crate::peers::registry;

/// A token of SoftHSM with one key.
struct Token {
    world: World,
    image: String,
}

const PIN: &str = "98765";

/// The library of SoftHSM, wherever Debian puts it.
fn library() -> PathBuf {
    let places = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"];
    places.iter().map(PathBuf::from).find(|path| path.exists()).expect("SoftHSM has a library")
}

impl Token {
    fn new(kind: &str) -> Option<Self> {
        if !needs(&["softhsm"]) {
            return None;
        }
        let world = World::new();
        let image = vulnerable(&world);
        fs::create_dir(world.path("tokens")).unwrap();
        let settings =
            format!("directories.tokendir = {}\nlog.level = ERROR\n", world.path("tokens").display());
        fs::write(world.path("softhsm2.conf"), settings).unwrap();
        let this = Self { world, image };
        let init = ["--init-token", "--free", "--label", "of kiln", "--so-pin", "1234567", "--pin", PIN];
        this.tool("softhsm2-util", &init).exits(0);
        let library = library().display().to_string();
        let make = ["--module", &library, "--token-label", "of kiln", "--login", "--pin", PIN];
        this.tool(
            "pkcs11-tool",
            &[&make[..], &["--keypairgen", "--key-type", kind, "--label", "release", "--id", "07"]].concat(),
        )
        .exits(0);
        Some(this)
    }

    fn tool(&self, program: &str, args: &[&str]) -> Run {
        Run::of(Command::new(program).args(args).env("SOFTHSM2_CONF", self.world.path("softhsm2.conf")))
    }

    fn kiln(&self, args: &[&str]) -> Run {
        let mut kiln = self.world.kiln();
        Run::of(kiln.args(args).env("SOFTHSM2_CONF", self.world.path("softhsm2.conf")))
    }

    /// The public key as a file, which OpenSSL writes.
    fn public(&self) -> String {
        let library = library().display().to_string();
        let (der, pem) = (self.world.path("hsm.der"), self.world.path("hsm.pub"));
        let (der, pem) = (der.display().to_string(), pem.display().to_string());
        let read = [
            "--module",
            &library,
            "--token-label",
            "of kiln",
            "--read-object",
            "--type",
            "pubkey",
            "--id",
            "07",
        ];
        self.tool("pkcs11-tool", &[&read[..], &["--output-file", &der]].concat()).exits(0);
        Run::of(
            Command::new("openssl").args(["pkey", "-pubin", "-inform", "DER", "-in", &der, "-out", &pem]),
        )
        .exits(0);
        pem
    }
}

#[test]
fn a_key_in_softhsm_signs_and_never_leaves_it() {
    for kind in ["EC:prime256v1", "rsa:2048"] {
        let Some(token) = Token::new(kind) else { return };
        let key = uri("object=release", PIN);
        token.kiln(&["sign", &token.image, "--key", &key]).exits(0);
        fs::write(token.world.path("predicate.json"), "{}").unwrap();
        let attest = ["attest", &token.image, "--type", "spdx", "--predicate", "predicate.json"];
        token.kiln(&[&attest[..], &["--key", &uri("id=%07", PIN)]].concat()).exits(0);
        let ask = ["verify", &token.image, "--require", "signature", "--require", "spdx", "--key"];
        token.kiln(&[&ask[..], &[&token.public()]].concat()).exits(0);
        // The token itself says which key must have signed, and needs no PIN for it.
        let without = key.split("&pin-value").next().unwrap().to_owned();
        token.kiln(&[&ask[..], &[&without]].concat()).exits(0);
        token.world.run(["keygen", "--output-key-prefix", "other"]).exits(0);
        token.kiln(&[&ask[..], &["other.pub"]].concat()).exits(1);
    }
}

#[test]
fn cosign_verifies_what_softhsm_signed() {
    if !needs(&["cosign", "registry"]) {
        return;
    }
    let Some(token) = Token::new("EC:prime256v1") else { return };
    let (_server, host) = registry(&token.world);
    let name = format!("{host}/team/app:1");
    token.world.run(["push", "-q", &token.image, &name]).exits(0);
    let key = uri("object=release", PIN);
    for form in [&[][..], &["--legacy"]] {
        token.kiln(&[&["sign", &name, "--key", &key], form].concat()).exits(0);
        let is_bundle =
            if form.is_empty() { "--new-bundle-format=true" } else { "--new-bundle-format=false" };
        let mut cosign = Command::new("cosign");
        cosign.args([
            "verify",
            "--key",
            &token.public(),
            "--insecure-ignore-tlog=true",
            "--allow-insecure-registry",
        ]);
        Run::of(cosign.args([is_bundle, &name]).env("HOME", token.world.path("home"))).exits(0);
    }
}

#[test]
fn what_a_token_cannot_do_is_said_and_its_pin_is_not() {
    let Some(token) = Token::new("EC:prime256v1") else { return };
    let sign = |uri: &str| token.kiln(&["sign", &token.image, "--key", uri]);
    for (uri, code, why) in [
        (uri("object=release", "11111"), 3, "pkcs11-tool could not do it"),
        (uri("object=other", PIN), 3, "pkcs11-tool could not do it"),
        (format!("pkcs11:object=release?pin-value={PIN}"), 3, "COSIGN_PKCS11_MODULE_PATH"),
        (format!("pkcs11:object=release;serial=7?module-path=x&pin-value={PIN}"), 3, "`serial`"),
    ] {
        let run = sign(&uri).exits(code);
        assert!(run.stderr.contains(why), "{uri}: {}", run.stderr);
        assert!(!run.stderr.contains(PIN) && !run.stdout.contains(PIN), "{run:?}");
    }
    token.kiln(&["verify", &token.image, "--key", &token.public(), "--require", "signature"]).exits(1);
}

/// The URI of a key in the token of a test.
fn uri(key: &str, pin: &str) -> String {
    format!("pkcs11:token=of%20kiln;{key}?module-path={}&pin-value={pin}", library().display())
}

/// A world with a key that only the plugin reaches.
fn plugin() -> Option<(World, String, String)> {
    if !needs(&["kms"]) {
        return None;
    }
    let world = World::new();
    let image = vulnerable(&world);
    let key = world.path("service.pem").display().to_string();
    let make = ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", &key];
    Run::of(Command::new("openssl").args(make)).exits(0);
    Some((world, image, format!("peer://{key}")))
}

fn with_path(world: &World, first: &str, args: &[&str]) -> Run {
    let path = format!("{first}:{}", std::env::var("PATH").unwrap());
    Run::of(world.kiln().args(args).env("PATH", path))
}

#[test]
fn a_key_behind_a_plugin_signs() {
    let Some((world, image, key)) = plugin() else { return };
    let peers = project().join("target/peers/bin").display().to_string();
    let kiln = |args: &[&str]| with_path(&world, &peers, args);
    kiln(&["sign", &image, "--key", &key]).exits(0);
    let public = world.path("service.pub").display().to_string();
    let file = key.strip_prefix("peer://").unwrap();
    Run::of(Command::new("openssl").args(["pkey", "-in", file, "-pubout", "-out", &public])).exits(0);
    for authority in [&public, &key] {
        kiln(&["verify", &image, "--key", authority, "--require", "signature"]).exits(0);
    }
    let missing = kiln(&["sign", &image, "--key", "peer:///nowhere"]).exits(3);
    assert!(missing.stderr.contains("no such file"), "{}", missing.stderr);
    let unknown = kiln(&["sign", &image, "--key", "unheard-of://key"]).exits(3);
    assert!(unknown.stderr.contains("sigstore-kms-unheard-of"), "{}", unknown.stderr);
    kiln(&["sign", &image, "--key", "../evil://key"]).exits(3);
}

#[test]
fn a_plugin_that_lies_signs_nothing() {
    let Some((world, image, key)) = plugin() else { return };
    let honest = project().join("target/peers/bin/sigstore-kms-peer").display().to_string();
    let folder = world.path("bin");
    fs::create_dir(&folder).unwrap();
    for (lie, why) in [
        // The signature of something else.
        (
            format!(
                "case \"$2\" in *signMessage*) echo other | {honest} \"$@\";; *) exec {honest} \"$@\";; esac"
            ),
            "no signature by it",
        ),
        ("echo '{}'".to_owned(), "answers publicKey without publicKeyPEM"),
        ("echo nonsense".to_owned(), "does not answer in JSON"),
        ("echo '{\"publicKey\":{\"publicKeyPEM\":\"AAAA\"}}'".to_owned(), "cannot be used"),
        ("head -c 3000000 /dev/zero".to_owned(), "more than 1048576 bytes"),
        ("echo '{\"errorMessage\":\"not today\"}'".to_owned(), "not today"),
    ] {
        let program = folder.join("sigstore-kms-peer");
        fs::write(&program, format!("#!/bin/sh\n{lie}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let run = with_path(&world, &folder.display().to_string(), &["sign", &image, "--key", &key]);
        assert!(matches!(run.code, Some(2 | 3)), "{lie}: {run:?}");
        assert!(run.stderr.contains(why), "{lie}: {}", run.stderr);
    }
    world.run(["keygen", "--output-key-prefix", "other"]).exits(0);
    let found =
        world.run(["verify", &image, "--key", "other.pub", "--require", "signature", "--format", "json"]);
    assert_eq!(found.exits(1).json()["examined"].as_array().unwrap().len(), 0, "nothing was attached");
}
