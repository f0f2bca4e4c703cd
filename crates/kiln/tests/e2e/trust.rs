//! `sign`, `attest` and `verify`, with cosign on the other side of the table.

use std::process::Command;

use kiln_attest::predicate;
use kiln_image::{Sink, Source};
use kiln_sign::{KeyPair, Signer, attach};
use kiln_store::Layout;

use crate::harness::{Run, World, needs};
use crate::images::vulnerable;
use crate::peers::{Server, pushed};
use crate::platforms::{image_with, index};

/// An image in a registry, and keys that both tools know.
struct Table {
    world: World,
    _server: Server,
    image: String,
}

const NO_LOG: [&str; 2] = ["--insecure-ignore-tlog=true", "--allow-insecure-registry"];

/// Signs without asking, and without a log.
const QUIET: [&str; 4] =
    ["--yes", "--allow-insecure-registry", "--use-signing-config=false", "--tlog-upload=false"];

fn table() -> Option<Table> {
    if !needs(&["cosign", "registry"]) {
        return None;
    }
    let world = World::new();
    let (server, image) = pushed(&world, "team/app:1");
    std::fs::create_dir(world.path("home")).unwrap();
    Some(Table { world, _server: server, image })
}

impl Table {
    fn path(&self, name: &str) -> String {
        self.world.path(name).display().to_string()
    }

    fn cosign(&self, args: &[&str]) -> Run {
        let mut command = Command::new("cosign");
        command.args(args).env("HOME", self.path("home")).env("COSIGN_PASSWORD", "secret");
        Run::of(&mut command)
    }

    fn kiln(&self, args: &[&str]) -> Run {
        Run::of(self.world.kiln().args(args).env("COSIGN_PASSWORD", "secret"))
    }

    /// A key pair that one of the tools made.
    fn keys(&self, name: &str) -> (String, String) {
        let stem = self.path(name);
        self.cosign(&["generate-key-pair", "--output-key-prefix", &stem]).exits(0);
        (format!("{stem}.key"), format!("{stem}.pub"))
    }
}

#[test]
fn cosign_verifies_what_kiln_signs() {
    let Some(table) = table() else { return };
    let (private, public) = table.keys("a");
    let (_, other) = table.keys("b");
    let predicate = table.path("predicate.json");
    std::fs::write(&predicate, r#"{"a": "<&>"}"#).unwrap();
    for legacy in [&[][..], &["--legacy"]] {
        table.kiln(&[&["sign", &table.image, "--key", &private], legacy].concat()).exits(0);
        let attest =
            ["attest", &table.image, "--key", &private, "--type", "openvex", "--predicate", &predicate];
        table.kiln(&[&attest[..], legacy].concat()).exits(0);
        let form = if legacy.is_empty() { "--new-bundle-format=true" } else { "--new-bundle-format=false" };
        let verify =
            |key: &str| table.cosign(&[&["verify", "--key", key, form, &table.image], &NO_LOG[..]].concat());
        verify(&public).exits(0);
        assert_ne!(verify(&other).code, Some(0));
        let attested = ["verify-attestation", "--type", "openvex", "--key", &public, form, &table.image];
        table.cosign(&[&attested[..], &NO_LOG[..]].concat()).exits(0);
    }
}

#[test]
fn kiln_verifies_what_cosign_signs() {
    let Some(table) = table() else { return };
    let (private, public) = table.keys("a");
    let (_, other) = table.keys("b");
    let predicate = table.path("predicate.json");
    std::fs::write(&predicate, r#"{"a": 1}"#).unwrap();
    let ask = ["--require", "signature", "--require", "spdx"];
    let verify = |key: &str| table.kiln(&[&["verify", &table.image, "--key", key], &ask[..]].concat());
    assert!(verify(&public).exits(1).stdout.contains("✗ missing   signature"));
    for form in ["--new-bundle-format=false", "--new-bundle-format=true"] {
        let quiet = [&QUIET[..], &[form]].concat();
        table.cosign(&[&["sign", "--key", &private, &table.image], &quiet[..]].concat()).exits(0);
        let attest =
            ["attest", "--key", &private, "--type", "spdxjson", "--predicate", &predicate, &table.image];
        table.cosign(&[&attest[..], &quiet[..]].concat()).exits(0);
        verify(&public).exits(0);
        let wrong = verify(&other).exits(1);
        assert!(wrong.stdout.contains("the signature is not by this key"), "{}", wrong.stdout);
    }
    let explained =
        table.kiln(&["verify", &table.image, "--key", &public, "--require", "spdx", "--explain"]).exits(0);
    for part in ["(legacy-signature)", "(legacy-statement)", "(bundle)", predicate::SPDX, "✓ signed by key"]
    {
        assert!(explained.stdout.contains(part), "{part} in\n{}", explained.stdout);
    }
    let json =
        table.kiln(&["verify", &table.image, "--key", &public, "--require", "spdx", "--format", "json"]);
    assert_eq!(json.exits(0).json()["examined"].as_array().unwrap().len(), 4);
}

/// An index is signed by itself, and its images only with `-r`: by either tool, and as the other sees it.
#[test]
fn indexes_are_signed_and_judged_alike_with_and_without_their_images() {
    let Some(table) = table() else { return };
    let (private, public) = table.keys("a");
    let (_, other) = table.keys("b");
    let folder = table.world.path("many");
    let images = ["linux/amd64", "linux/arm64"].map(|platform| image_with(&folder, platform, "index"));
    let root = index(&folder, "all", images.to_vec());
    let repository = table.image.rsplit_once(':').unwrap().0;
    for (by_cosign, recursive, legacy) in [false, true]
        .into_iter()
        .flat_map(|a| [false, true].map(|b| (a, b)))
        .flat_map(|(a, b)| [false, true].map(|c| (a, b, c)))
    {
        let repository = format!("{repository}-{by_cosign}-{recursive}-{legacy}");
        let name = format!("{repository}:1");
        table.kiln(&["copy", "-q", "oci:many:all", &name]).exits(0);
        let form = if legacy { "--new-bundle-format=false" } else { "--new-bundle-format=true" };
        let whole: &[&str] = if recursive { &["-r"] } else { &[] };
        if by_cosign {
            let args = [&["sign", "--key", &private, form, &name], &QUIET[..], whole].concat();
            table.cosign(&args).exits(0);
        } else {
            let older: &[&str] = if legacy { &["--legacy"] } else { &[] };
            table.kiln(&[&["sign", &name, "--key", &private], older, whole].concat()).exits(0);
        }
        for (digest, is_signed) in
            [(root.digest, true), (images[0].digest, recursive), (images[1].digest, recursive)]
        {
            let exact = format!("{repository}@{digest}");
            let says = |key: &str| {
                let ours = table.kiln(&["verify", &exact, "--key", key, "--require", "signature"]).code;
                let theirs =
                    table.cosign(&[&["verify", "--key", key, form, &exact], &NO_LOG[..]].concat()).code;
                (ours == Some(0), theirs == Some(0))
            };
            let case = format!("{exact}, by cosign: {by_cosign}, all: {recursive}, legacy: {legacy}");
            assert_eq!(says(&public), (is_signed, is_signed), "{case}");
            assert_eq!(says(&other), (false, false), "{case}");
        }
        for platform in ["linux/amd64", "linux/arm64"] {
            let asked = ["--key", &public, "--require", "signature", "--platform", platform];
            table.kiln(&[&["verify", &name], &asked[..]].concat()).exits(0);
        }
    }
}

/// What an index is signed with stays with the index: whoever takes one of its images with everything is told.
#[test]
fn what_does_not_come_along_is_said() {
    if !needs(&["registry"]) {
        return;
    }
    let world = World::new();
    let folder = world.path("many");
    let images = ["linux/amd64", "linux/arm64"].map(|platform| image_with(&folder, platform, "index"));
    index(&folder, "all", images.to_vec());
    let (_server, host) = crate::peers::registry(&world);
    for legacy in [&[][..], &["--legacy"]] {
        let name = format!("{host}/team/app-{}:1", legacy.len());
        world.run(["copy", "-q", "oci:many:all", &name]).exits(0);
        world.run(["keygen", "--output-key-prefix", &format!("key{}", legacy.len())]).exits(0);
        let left = |args: &[&str]| {
            let said = world.run(args).exits(0).stderr;
            said.contains("left behind: 1 signatures and statements")
        };
        let taken = ["oci:one:1", "docker-archive:one.tar", "oci:whole:1"];
        let ways: [(&[&str], bool); 6] = [
            (&["pull", "--all", &name], true),
            (&["pull", "--all", "--all-platforms", &name], false),
            (&["pull", &name], false),
            (&["copy", "--all", "--platform", "linux/arm64", &name, taken[0]], true),
            (&["copy", "--all", &name, taken[1]], true),
            (&["copy", "--all", &name, taken[2]], false),
        ];
        assert!(ways.iter().all(|(args, _)| !left(args)), "nothing is signed yet");
        let private = format!("key{}.key", legacy.len());
        world.run([&["sign", &name, "--key", &private], legacy].concat()).exits(0);
        for (args, is_left) in ways {
            assert_eq!(left(args), is_left, "{args:?} {legacy:?}");
        }
    }
}

/// `cosign save` lists what older cosign signed without a name, and bundles nowhere.
#[test]
fn what_cosign_saves_is_verified() {
    let Some(table) = table() else { return };
    let (private, public) = table.keys("a");
    let (_, other) = table.keys("b");
    let predicate = table.path("predicate.json");
    std::fs::write(&predicate, "{}").unwrap();
    let folder = table.world.path("many");
    let images = ["linux/amd64", "linux/arm64"].map(|platform| image_with(&folder, platform, "index"));
    index(&folder, "all", images.to_vec());
    let repository = table.image.rsplit_once(':').unwrap().0;
    for (number, form) in ["--new-bundle-format=false", "--new-bundle-format=true"].iter().enumerate() {
        for (kind, from) in [("one", &*table.image), ("many", "oci:many:all")] {
            let name = format!("{repository}-{kind}-{number}:1");
            table.kiln(&["copy", "-q", from, &name]).exits(0);
            let saved = |is_signed: &str| {
                let folder = table.path(&format!("saved-{kind}-{number}-{is_signed}"));
                table.cosign(&["save", "--allow-insecure-registry", "--dir", &folder, &name]).exits(0);
                format!("oci:{folder}")
            };
            let verify = |layout: &str, key: &str| {
                let asked = ["--require", "signature", "--require", "custom"];
                table.kiln(&[&["verify", layout, "--key", key], &asked[..]].concat())
            };
            verify(&saved("no"), &public).exits(1);
            let quiet = [&QUIET[..], &[form]].concat();
            table.cosign(&[&["sign", "--key", &private, &name], &quiet[..]].concat()).exits(0);
            let attest = ["attest", "--key", &private, "--type", "custom", "--predicate", &predicate, &name];
            table.cosign(&[&attest[..], &quiet[..]].concat()).exits(0);
            let layout = saved("yes");
            verify(&layout, &public).exits(0);
            verify(&layout, &other).exits(1);
            // What is copied from there comes with everything.
            let copied = format!("oci:{}", table.path(&format!("copied-{kind}-{number}")));
            table.kiln(&["copy", "-q", "--all", &layout, &format!("{copied}:1")]).exits(0);
            verify(&format!("{copied}:1"), &public).exits(0);
        }
    }
}

#[test]
fn keys_of_every_kind_sign() {
    let Some(table) = table() else { return };
    for (name, algorithm) in [
        ("p256", &["EC", "-pkeyopt", "ec_paramgen_curve:P-256"][..]),
        ("p384", &["EC", "-pkeyopt", "ec_paramgen_curve:P-384"]),
        ("ed25519", &["ED25519"]),
        ("rsa", &["RSA", "-pkeyopt", "rsa_keygen_bits:3072"]),
    ] {
        let (private, public) = (table.path(&format!("{name}.pem")), table.path(&format!("{name}.pub")));
        let openssl = |args: &[&str]| Run::of(Command::new("openssl").args(args)).exits(0);
        openssl(&[&["genpkey", "-out", &private, "-algorithm"], algorithm].concat());
        openssl(&["pkey", "-in", &private, "-pubout", "-out", &public]);
        table.kiln(&["sign", &table.image, "--key", &private]).exits(0);
        table.kiln(&["verify", &table.image, "--key", &public, "--require", "signature"]).exits(0);
        // cosign hashes with SHA-256 whatever the curve, and takes Ed25519 in its prehashed form only.
        if name == "p256" || name == "rsa" {
            let verified = table.cosign(&[&["verify", "--key", &public, &table.image], &NO_LOG[..]].concat());
            assert_eq!(verified.code, Some(0), "{name}: {}", verified.stderr);
        }
        if name != "ed25519" {
            let stem = table.path(&format!("cosign-{name}"));
            table.cosign(&["import-key-pair", "--key", &private, "--output-key-prefix", &stem]).exits(0);
            let predicate = table.path("predicate.json");
            std::fs::write(&predicate, "{}").unwrap();
            let kind = format!("https://example.invalid/{name}");
            let key = format!("{stem}.key");
            let attest = ["attest", "--key", &key, "--type", &kind, "--predicate", &predicate, &table.image];
            table.cosign(&[&attest[..], &QUIET].concat()).exits(0);
            table.kiln(&["verify", &table.image, "--key", &public, "--require", &kind]).exits(0);
        }
    }
}

#[test]
fn requirements_look_into_statements() {
    let world = World::new();
    let image = vulnerable(&world);
    let write = |name: &str, value: serde_json::Value| {
        std::fs::write(world.path(name), value.to_string()).unwrap();
        name.to_owned()
    };
    let provenance = write(
        "provenance.json",
        serde_json::json!({
            "buildDefinition": { "resolvedDependencies": [{ "uri": "git+https://example.invalid/org/app@refs/heads/main" }] },
            "runDetails": { "builder": { "id": "https://example.invalid/builder" } },
        }),
    );
    let scan = write(
        "scan.json",
        serde_json::json!({
            "scanner": { "result": { "matches": [{ "vulnerability": { "severity": "Critical" } }] } },
            "metadata": { "scanFinishedOn": "2020-01-01T00:00:00Z" },
        }),
    );
    let attest = |kind: &str, file: &str| {
        world.run(["attest", &image, "--type", kind, "--predicate", file]).exits(0);
    };
    attest("provenance", &provenance);
    attest("scan", &scan);
    let verify = |args: &[&str]| world.run([&["verify", &image], args].concat());
    verify(&["--builder-id", "https://example.invalid/builder"]).exits(0);
    let other = verify(&["--builder-id", "https://example.invalid/other"]).exits(1);
    assert!(other.stdout.contains("✗ unfit     SLSA provenance"), "{}", other.stdout);
    // The only repository among what was resolved is a dependency, unless the build calls it its source.
    let repository = ["--source-repository", "https://example.invalid/org/app"];
    let unnamed = verify(&repository).exits(1);
    assert!(unnamed.stdout.contains("the build does not name its source"), "{}", unnamed.stdout);
    let named = serde_json::json!({
        "buildDefinition": { "externalParameters": { "source": "git+https://example.invalid/org/app@refs/heads/main" } },
        "runDetails": { "builder": { "id": "https://example.invalid/builder" } },
    });
    attest("provenance", &write("named.json", named));
    verify(&repository).exits(0);
    verify(&["--source-repository", "https://example.invalid/org/ap"]).exits(1);
    verify(&["--max-scan-age", "100000"]).exits(0);
    let old = verify(&["--max-scan-age", "7", "--no-critical"]).exits(1);
    assert!(old.stdout.contains("more than 7 days ago"), "{}", old.stdout);
    assert!(verify(&["--no-critical"]).exits(1).stdout.contains("1 critical vulnerabilities"));
    // A statement of another type never stands in for a signature.
    verify(&["--require", "signature"]).exits(1);
    world.run(["sign", &image]).exits(0);
    verify(&["--require", "signature"]).exits(0);
}

/// A clean scan of an index takes nothing back that is said of its image; and what a scan did not judge is not known.
#[test]
fn what_a_scan_says_of_an_image_is_the_same_through_its_index() {
    let world = World::new();
    let folder = world.path("many");
    let images = ["linux/amd64", "linux/arm64"].map(|platform| image_with(&folder, platform, "index"));
    index(&folder, "all", images.to_vec());
    let layout = Layout::open(&folder).unwrap();
    for (tag, image) in ["0", "1"].iter().zip(&images) {
        layout.publish(image, Some(tag)).unwrap();
    }
    let scan = |tag: &str, result: serde_json::Value, ended: &str| {
        let predicate =
            serde_json::json!({ "scanner": { "result": result }, "metadata": { "scanFinishedOn": ended } });
        std::fs::write(world.path("scan.json"), predicate.to_string()).unwrap();
        let image = format!("oci:many:{tag}");
        world.run(["attest", &image, "--type", "scan", "--predicate", "scan.json"]).exits(0);
    };
    let verify = |name: &str, platform: &[&str]| {
        let asked = ["--no-critical", "--max-scan-age", "100000"];
        world.run([&["verify", name], &asked[..], platform].concat())
    };
    let both = |number: usize, code: i32| {
        let platform = ["linux/amd64", "linux/arm64"][number];
        verify("oci:many:all", &["--platform", platform]).exits(code);
        verify(&format!("oci:many:{number}"), &[]).exits(code);
    };
    let clean = || serde_json::json!({ "matches": [] });
    scan("all", clean(), "2026-02-01T00:00:00Z");
    for platform in ["linux/amd64", "linux/arm64"] {
        verify("oci:many:all", &["--platform", platform]).exits(0);
    }
    let critical = serde_json::json!({ "matches": [{ "severity": "critical" }] });
    scan("0", critical, "2026-01-01T00:00:00Z");
    both(0, 1);
    scan("1", serde_json::json!({ "matches": [], "complete": false }), "2026-01-01T00:00:00Z");
    both(1, 3);
    let said = verify("oci:many:all", &["--platform", "linux/arm64"]).exits(3);
    assert!(
        said.stdout.contains("? not known") && said.stdout.contains("does not know everything"),
        "{said:?}"
    );
    for tag in ["0", "1"] {
        scan(tag, clean(), "2026-03-01T00:00:00Z");
    }
    both(0, 0);
    both(1, 0);
}

/// Attaches statements of one type to an image of a layout, each made a day after the last, by a key of nobody's.
fn flood(layout: &Layout, target: &kiln_oci::Descriptor, kind: &str, count: usize) {
    let foreign = Signer::with_key(KeyPair::generate().unwrap()).unwrap();
    for number in 0..count {
        let predicate = serde_json::json!({ "number": number });
        let statement = kiln_attest::Statement::about(&target.digest, kind, predicate);
        let bundle = foreign.sign(&statement, &target.digest).unwrap();
        let day = format!("2026-{:02}-{:02}T00:00:00Z", number / 28 % 12 + 1, number % 28 + 1);
        let attached = attach(&bundle, &statement.predicate_type, target, &day);
        for (content, bytes) in [&attached.config, &attached.bundle, &attached.manifest] {
            layout.put(content, &mut &bytes[..]).unwrap();
        }
        layout.publish(&attached.manifest.0, None).unwrap();
    }
}

/// Endless signatures (CVE-2023-46737 and its kin): what is beyond the budget is not looked at, said, never missing, and nothing passes
/// for it.
#[test]
fn a_flood_of_statements_ends_and_nothing_passes_for_it() {
    let world = World::new();
    let image = vulnerable(&world);
    let layout = Layout::open(&world.path("layout")).unwrap();
    let target = layout.resolve("1").unwrap().unwrap();
    world.run(["keygen", "--output-key-prefix", "mine"]).exits(0);
    let verify = ["verify", &image, "--key", "mine.pub", "--require", "signature"];
    flood(&layout, &target, "https://example.invalid/flood", 300);
    let run = world.run(verify).exits(3);
    for part in ["? not known signature", "268 more were not looked at: there are too many"] {
        assert!(run.stdout.contains(part), "{}", run.stdout);
    }
    let found = world.run([&verify[..], &["--format", "json"]].concat()).exits(3).json();
    assert_eq!((found["examined"].as_array().unwrap().len(), &found["left_out"]), (32, &268.into()));
    assert_eq!(found["required"][0]["not_known"], true);
    // With true hints, the right one is found among them, and no more is looked at than is needed.
    world.run(["sign", &image, "--key", "mine.key"]).exits(0);
    let found = world.run([&verify[..], &["--format", "json"]].concat()).exits(0).json();
    assert!(found["examined"].as_array().unwrap().len() <= 16 && found["left_out"] == 0, "{found}");
    // With forged ones, it is not known.
    flood(&layout, &target, predicate::SIGNATURE, 300);
    let index = std::fs::read_to_string(world.path("layout/index.json")).unwrap();
    assert!(index.contains("manifests"));
    world.run([&verify[..], &["--require", "spdx"]].concat()).exits(3);
}

/// A scan every day, for a year: the newest decides, and the signature is still found.
#[test]
fn a_scan_every_day_hides_neither_the_signature_nor_the_newest_scan() {
    let world = World::new();
    let image = vulnerable(&world);
    let layout = Layout::open(&world.path("layout")).unwrap();
    let target = layout.resolve("1").unwrap().unwrap();
    world.run(["keygen", "--output-key-prefix", "mine"]).exits(0);
    world.run(["sign", &image, "--key", "mine.key"]).exits(0);
    let key = std::fs::read_to_string(world.path("mine.key")).unwrap();
    let signer = Signer::with_key(KeyPair::read(&key, "").unwrap()).unwrap();
    let scan = |day: usize, severity: &str| {
        let time = format!("{}-{:02}-{:02}T00:00:00Z", 2020 + day / 336, day / 28 % 12 + 1, day % 28 + 1);
        let predicate = serde_json::json!({
            "scanner": { "result": { "matches": [{ "vulnerability": { "severity": severity } }] } },
            "metadata": { "scanFinishedOn": time },
        });
        let statement = kiln_attest::Statement::about(&target.digest, predicate::VULNERABILITIES, predicate);
        let bundle = signer.sign(&statement, &target.digest).unwrap();
        let attached = attach(&bundle, &statement.predicate_type, &target, &time);
        for (content, bytes) in [&attached.config, &attached.bundle, &attached.manifest] {
            layout.put(content, &mut &bytes[..]).unwrap();
        }
        layout.publish(&attached.manifest.0, None).unwrap();
    };
    (0..365).for_each(|day| scan(day, "low"));
    let verify = ["verify", &image, "--key", "mine.pub", "--require", "signature", "--no-critical"];
    world.run(verify).exits(0);
    scan(365, "critical");
    let refused = world.run(verify).exits(1);
    assert!(refused.stdout.contains("the scan found 1 critical vulnerabilities"), "{}", refused.stdout);
    // Nobody knows how bad that is.
    scan(366, "severe");
    let refused = world.run(verify).exits(3);
    assert!(refused.stdout.contains("without a severity that is known"), "{}", refused.stdout);
    scan(367, "high");
    world.run(verify).exits(0);
}

#[test]
fn half_a_question_is_no_question() {
    let world = World::new();
    let image = vulnerable(&world);
    for (args, expected) in [
        (&["--certificate-identity", "a@example.invalid"][..], "--certificate-oidc-issuer"),
        (&["--certificate-oidc-issuer", "https://example.invalid"], "--certificate-identity"),
        (&["--insecure-ignore-sct"], "--certificate-identity and --certificate-oidc-issuer"),
        (&["--certificate-identity", "a", "--certificate-oidc-issuer", "b"], "--trusted-root FILE"),
        (&["--certificate-identity-regexp", ".*", "--certificate-oidc-issuer", ""], "nothing is asked for"),
        (&["--require", "sbom"], "name one of signature, spdx"),
        (&["--min-logs", "2", "--insecure-ignore-tlog"], "cannot be used with"),
        (&["--min-logs", "2", "--key", "a.pub"], "cannot be used with"),
        (&["--min-logs", "2"], "--certificate-identity and --certificate-oidc-issuer"),
    ] {
        let run = world.run([&["verify", &image], args].concat()).exits(2);
        assert!(run.stderr.contains(expected), "{args:?}: {}", run.stderr);
    }
}
