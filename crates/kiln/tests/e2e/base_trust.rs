//! `[trust]` of kiln.toml: no base is used that is not signed as it asks.

use std::fs;

use crate::harness::{Run, World, needs};
use crate::peers::{Server, pushed};

/// A base in a registry, an app on top of it, and keys.
struct Bench {
    world: World,
    server: Server,
    base: String,
}

fn bench() -> Option<Bench> {
    if !needs(&["registry"]) {
        return None;
    }
    let world = World::new();
    let (server, base) = pushed(&world, "base/node:24");
    fs::create_dir(world.path("app")).unwrap();
    fs::write(world.path("app/Dockerfile"), format!("FROM {base}\nCOPY Dockerfile /app/\n")).unwrap();
    for key in ["ours", "theirs"] {
        world.run(["keygen", "--output-key-prefix", key]).exits(0);
    }
    Some(Bench { world, server, base })
}

impl Bench {
    fn trust(&self, text: &str) {
        fs::write(self.world.path("app/kiln.toml"), text).unwrap();
        for key in ["ours.pub", "theirs.pub"] {
            fs::copy(self.world.path(key), self.world.path("app").join(key)).unwrap();
        }
    }

    fn build(&self) -> Run {
        self.world.run(["build", "app", "-f", "app/Dockerfile", "-t", "app:1"])
    }

    fn sign(&self, image: &str, key: &str) {
        self.world.run(["sign", image, "--key", &format!("{key}.key")]).exits(0);
    }

    /// Puts an index around the base into the registry, and yields its name.
    fn index(&self) -> String {
        let bench = self;
        let index = format!("{}-all", bench.base);
        let child =
            bench.world.run(["verify", &bench.base, "--key", "ours.pub", "--require", "signature"]).exits(1);
        let child = child.stdout.lines().next().unwrap().to_owned();
        bench.world.run(["copy", "-q", &bench.base, "oci:many:1"]).exits(0);
        let size = fs::metadata(bench.world.path("many/blobs/sha256").join(&child["sha256:".len()..]))
            .unwrap()
            .len();
        let text = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{child}","size":{size},"platform":{{"architecture":"amd64","os":"linux"}}}}]}}"#
        );
        let digest = kiln_oci::Digest::of(text.as_bytes());
        fs::write(bench.world.path("many/blobs/sha256").join(digest.hex()), &text).unwrap();
        let entry = format!(
            r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"{digest}","size":{},"annotations":{{"org.opencontainers.image.ref.name":"1"}}}}]}}"#,
            text.len()
        );
        fs::write(bench.world.path("many/index.json"), entry).unwrap();
        bench.world.run(["push", "-q", "oci:many:1", &index]).exits(0);
        index
    }

    /// Blobs in kiln's store.
    fn blobs(&self) -> usize {
        fs::read_dir(self.world.data("store/blobs/sha256")).map_or(0, Iterator::count)
    }
}

const OURS: &str = "[[trust.rule]]\nimages = ['127.0.0.1:*/base/*']\nkeys = ['ours.pub']\n";

#[test]
fn a_base_is_used_only_when_the_right_key_has_signed_it() {
    let Some(bench) = bench() else { return };
    bench.trust(OURS);
    let refused = bench.build().exits(1);
    for part in [
        "error[trust.base]",
        "Dockerfile:1",
        &bench.base,
        "lies no statement at all",
        "kiln verify --explain",
    ] {
        assert!(refused.stderr.contains(part), "{part} in\n{}", refused.stderr);
    }
    bench.sign(&bench.base, "theirs");
    let refused = bench.build().exits(1);
    assert!(refused.stderr.contains("the signature is not by this key"), "{}", refused.stderr);
    assert_eq!(bench.blobs(), 0, "nothing of a base that is refused is fetched");

    bench.sign(&bench.base, "ours");
    let built = bench.build().exits(0);
    assert!(built.stderr.contains(&format!("{} is signed by key", bench.base)), "{}", built.stderr);
    // Another rule is another question, though the image was accepted under the last one.
    bench.trust(&OURS.replace("ours", "theirs"));
    bench.build().exits(0);
    bench.trust(&format!("{OURS}require = ['signature', 'spdx']\n"));
    let refused = bench.build().exits(1);
    assert!(refused.stderr.contains("says: SPDX"), "{}", refused.stderr);
}

#[test]
fn verify_asks_what_the_project_asks() {
    let Some(bench) = bench() else { return };
    bench.trust(OURS);
    let verify = |args: &[&str]| {
        let mut kiln = bench.world.kiln();
        Run::of(kiln.current_dir(bench.world.path("app")).args(["verify", &bench.base]).args(args))
    };
    assert!(verify(&[]).exits(1).stdout.contains("✗ missing   signature"));
    bench.sign(&bench.base, "ours");
    let explained = verify(&["--explain"]).exits(0).stdout;
    assert!(explained.contains("✓ verified  signature") && !explained.contains("SPDX"), "{explained}");
    verify(&["--require", "spdx"]).exits(1);
    verify(&["--key", "theirs.pub", "--require", "signature"]).exits(1);
    bench.trust(&format!("{OURS}[[trust.rule]]\nimages = ['**']\nkeys = ['theirs.pub']\n"));
    let explained = verify(&["--explain"]).exits(1).stdout;
    // All of them must be met, and the one that says most comes first.
    let own = explained.find("(rule for 127.0.0.1:*/base/*)").unwrap();
    assert!(own < explained.find("(rule for **)").unwrap(), "{explained}");
    bench.sign(&bench.base, "theirs");
    verify(&[]).exits(0);
    // An image that no rule is about is refused, as in a build, unless somebody says whose it is.
    bench.trust(&OURS.replace("base", "other"));
    bench.world.run(["sign", &bench.base]).exits(0);
    verify(&["--require", "signature"]).exits(1);
    verify(&["--require", "signature", "--key", "ours.pub"]).exits(0);
}

#[test]
fn what_was_accepted_needs_no_registry_again() {
    let Some(bench) = bench() else { return };
    bench.sign(&bench.base, "ours");
    bench.trust(OURS);
    let digest =
        bench.world.run(["verify", &bench.base, "--key", "ours.pub", "--require", "signature"]).exits(0);
    let digest = digest.stdout.lines().next().unwrap().to_owned();
    let pinned = bench.base.replace(":24", &format!("@{digest}"));
    fs::write(bench.world.path("app/Dockerfile"), format!("FROM {pinned}\nCOPY kiln.toml /app/\n")).unwrap();
    bench.build().exits(0);
    drop(bench.server);
    let offline = |args: &[&str]| {
        let build = ["build", "app", "-f", "app/Dockerfile", "-t", "app:2", "--offline"];
        bench.world.run([&build[..], args].concat())
    };
    offline(&[]).exits(0);
    // Signatures came along with the base, so that even an empty cache can be asked again.
    let cache = bench.world.path("cache");
    offline(&["--cache-dir", cache.to_str().unwrap()]).exits(0);
}

#[test]
fn a_rule_is_about_every_image_that_content_comes_from() {
    let Some(bench) = bench() else { return };
    bench.trust(OURS);
    let dockerfiles = [
        format!("FROM scratch\nCOPY --from={} /etc/os-release /\n", bench.base),
        format!("FROM scratch\nRUN --mount=type=bind,from={},target=/base true\n", bench.base),
        format!(
            "ARG BASE={}\nFROM $BASE AS one\nFROM scratch\nCOPY --from=one /etc/os-release /\n",
            bench.base
        ),
    ];
    for text in dockerfiles {
        fs::write(bench.world.path("app/Dockerfile"), &text).unwrap();
        assert!(bench.build().exits(1).stderr.contains("trust.base"), "{text}");
    }
}

#[test]
fn a_signed_index_vouches_for_its_images() {
    let Some(bench) = bench() else { return };
    bench.trust(OURS);
    let index = bench.index();
    fs::write(bench.world.path("app/Dockerfile"), format!("FROM {index}\n")).unwrap();
    bench.build().exits(1);
    bench.sign(&index, "ours");
    bench.build().exits(0);
}

/// What a reference names is what is judged: an index by its own signature, which is one of its images, too.
#[test]
fn verify_judges_the_index_that_is_named() {
    let Some(bench) = bench() else { return };
    let index = bench.index();
    let verify =
        |image: &str| bench.world.run(["verify", image, "--key", "ours.pub", "--require", "signature"]);
    verify(&index).exits(1);
    bench.sign(&index, "theirs");
    verify(&index).exits(1);
    bench.sign(&index, "ours");
    verify(&index).exits(0);
    let repository = index.rsplit_once(':').unwrap().0;
    let signed = bench.world.run(["copy", "-q", &index, "oci:whole:1"]).exits(0);
    let digest = signed.stdout.trim().rsplit_once('@').unwrap().1.to_owned();
    verify(&format!("{repository}@{digest}")).exits(0);
    // Whoever names the image alone did not come through the index.
    let alone = verify(&bench.base).exits(1);
    assert!(
        alone.stdout.contains("missing") && alone.stdout.contains("the index may be signed"),
        "{}",
        alone.stdout
    );
    // What is said of the image counts beside what is said of the index.
    let both = ["verify", &index, "--key", "ours.pub", "--require", "signature", "--require", "custom"];
    bench.world.run(both).exits(1);
    fs::write(bench.world.path("p.json"), "{}").unwrap();
    let attest = ["attest", &bench.base, "--key", "ours.key", "--type", "custom", "--predicate", "p.json"];
    bench.world.run(attest).exits(0);
    bench.world.run(both).exits(0);
    // A layout with one image needs no tag: what is attached to it is none.
    bench.world.run(["copy", "-q", "--all", &bench.base, "oci:lay:1"]).exits(0);
    bench.world.run(["verify", "oci:lay", "--key", "ours.pub", "--require", "custom"]).exits(0);
}

#[test]
fn a_document_may_be_named_with_its_version() {
    let Some(bench) = bench() else { return };
    fs::write(bench.world.path("s.json"), r#"{"spdxVersion":"SPDX-2.3"}"#).unwrap();
    let attest = |kind: &str| {
        let args = ["attest", &bench.base, "--key", "ours.key", "--type", kind, "--predicate", "s.json"];
        bench.world.run(args).exits(0);
    };
    let verify =
        |kind: &str| bench.world.run(["verify", &bench.base, "--key", "ours.pub", "--require", kind]);
    attest("https://spdx.dev/Document/v2.3");
    verify("spdx").exits(0);
    verify("https://spdx.dev/Document/v2.3").exits(0);
    verify("https://spdx.dev/Document/v2.2").exits(1);
    attest("https://slsa.dev/provenance/v0.2");
    verify("provenance").exits(1);
}

#[test]
fn an_image_without_a_rule_is_refused_unless_that_is_allowed() {
    let Some(bench) = bench() else { return };
    let other = "[[trust.rule]]\nimages = ['registry.example.invalid/**']\nkeys = ['ours.pub']\n";
    bench.trust(other);
    let refused = bench.build().exits(1);
    assert!(refused.stderr.contains("trust.unmatched"), "{}", refused.stderr);
    // `kiln verify` says the same, whoever has signed, and what to write; kiln's own key stands in for no rule.
    bench.world.run(["sign", &bench.base]).exits(0);
    bench.sign(&bench.base, "ours");
    let asked = ["verify", &bench.base, "--config", "app/kiln.toml", "--require", "signature"];
    let refused = bench.world.run(asked).exits(1);
    for part in ["trust.unmatched", "[[trust.rule]]", "--key", "unmatched = \"allow\""] {
        assert!(refused.stderr.contains(part), "{part} in\n{}", refused.stderr);
    }
    bench.world.run([&asked[..], &["--key", "ours.pub"]].concat()).exits(0);
    bench.trust(&format!("[trust]\nunmatched = 'allow'\n{other}"));
    bench.build().exits(0);
    bench.world.run(asked).exits(0);
    bench.trust("[trust]\nunmatched = 'refuse'\n");
    bench.world.run(asked).exits(0);
}

#[test]
fn a_rule_that_says_less_than_it_seems_is_refused() {
    let Some(bench) = bench() else { return };
    for (text, why) in [
        ("[[trust.rule]]\nimages = ['**']\n", "neither keys nor identities"),
        ("[[trust.rule]]\nimages = ['**']\nkeys = ['ours.pub']\nrequire = []\n", "it requires nothing"),
        ("[[trust.rule]]\nimages = ['**']\nkeys = ['missing.pub']\n", "missing.pub"),
        ("[[trust.rule]]\nimages = ['node:24']\nkeys = ['ours.pub']\n", "without tag and digest"),
        ("[[trust.rule]]\nimages = ['**']\nkey = 'ours.pub'\n", "unknown field `key`"),
        ("[[trust.rule]]\nimages = ['**']\nidentities = [{ subject = 'a' }]\n", "has no issuer"),
    ] {
        bench.trust(text);
        let run = bench.build();
        assert!(matches!(run.code, Some(2 | 3)), "{text}: {run:?}");
        assert!(run.stderr.contains(why), "{text}: {}", run.stderr);
    }
}
