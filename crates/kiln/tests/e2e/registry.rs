//! `push`, `pull`, `copy`, and images named where they lie, against Debian's registry.

use std::process::Command;

use crate::harness::{Run, World, needs};
use crate::images::vulnerable;
use crate::peers::{registry, registry_with_referrers};
use crate::ship::can_ship;

#[test]
fn an_image_goes_to_a_registry_and_is_judged_there() {
    if !needs(&["registry"]) {
        return;
    }
    let world = World::new();
    let image = vulnerable(&world);
    let (_server, host) = registry(&world);
    let name = format!("{host}/team/app:1");
    let pushed = world.run(["push", &image, &name, "--format", "json"]).exits(0).json();
    assert_eq!((&pushed["blobs"]["sent"], &pushed["blobs"]["present"]), (&2.into(), &0.into()), "{pushed}");
    let again = world.run(["push", &image, &name, "--format", "json"]).exits(0).json();
    assert_eq!((&again["blobs"]["sent"], &again["digest"]), (&0.into(), &pushed["digest"]));
    let there = world.run(["scan", &name, "--format", "json"]).exits(0).json();
    let here = world.run(["scan", &image, "--format", "json"]).exits(0).json();
    assert_eq!(there[0]["report"], here[0]["report"]);
    assert_eq!(there[0]["image"]["digest"], pushed["digest"]);
    let sbom = world.run(["sbom", &name]).exits(0);
    assert!(sbom.stdout.contains("pkg:npm/moment@2.24.0"), "{}", sbom.stdout);
    assert!(!world.data("store").join("index.json").exists() || !stored(&world).contains("team/app"));
    let pulled = world.run(["pull", &name]).exits(0);
    assert!(pulled.stdout.contains(pushed["digest"].as_str().unwrap()), "{}", pulled.stdout);
    assert!(stored(&world).contains(&name));
    world.run(["scan", &name, "--offline"]).exits(0);
}

/// Wherever kiln is started from.
#[test]
fn the_configuration_of_the_app_says_how_registries_are_reached() {
    if !needs(&["registry"]) {
        return;
    }
    let world = World::new();
    let image = vulnerable(&world);
    let (_server, host) = registry(&world);
    world.run(["push", &image, &format!("{host}/base:1")]).exits(0);
    let mirror = format!("[registry]\nmirrors = {{ \"registry.invalid\" = [\"{host}\"] }}\n");
    let dockerfile = "FROM registry.invalid/base:1\nENV A=1\n";
    world.app(&[("kiln.toml", &mirror), ("Dockerfile", dockerfile)]);
    std::fs::write(world.path("kiln.toml"), "of = \"another folder\"\n").unwrap();
    world.run(["build", "-f", "app/Dockerfile", "app", "-t", "mirrored:1"]).exits(0);
    let wrong = world.run(["pull", "registry.invalid/base:1"]).exits(2);
    assert!(wrong.stderr.contains("kiln.toml"), "{}", wrong.stderr);
    world.run(["pull", "registry.invalid/base:1", "--config", "app/kiln.toml"]).exits(0);
}

fn stored(world: &World) -> String {
    std::fs::read_to_string(world.data("store").join("index.json")).unwrap()
}

#[test]
fn copies_between_all_kinds_of_places_are_the_same() {
    if !needs(&["registry"]) {
        return;
    }
    let world = World::new();
    let image = vulnerable(&world);
    let (_server, host) = registry(&world);
    let (one, two) = (format!("{host}/one/app:1"), format!("{host}/two/app:2"));
    let back = format!("oci:{}:back", world.path("back").display());
    let archive = format!("docker-archive:{}", world.path("app.tar").display());
    let mut digests = Vec::new();
    for (from, to) in [(&image, &one), (&one, &two), (&two, &back), (&back, &"app:3".to_owned())] {
        let run = world.run(["copy", from, to, "--all", "--format", "json"]).exits(0).json();
        digests.push(run["digest"].as_str().unwrap().to_owned());
    }
    digests.dedup();
    assert_eq!(digests.len(), 1, "{digests:?}");
    world.run(["copy", "app:3", &archive]).exits(0);
    let first = std::fs::read(world.path("app.tar")).unwrap();
    world.run(["copy", &one, &format!("{archive}:app:3")]).exits(0);
    assert_eq!(std::fs::read(world.path("app.tar")).unwrap(), first);
}

#[test]
fn what_was_signed_is_verified_where_it_was_pushed() {
    if !needs(&["registry"]) || !can_ship() {
        return;
    }
    let world = World::new();
    let app = world.example("orders-api");
    world.run(["ship".as_ref(), app.as_os_str(), "-q".as_ref()]).exits(0);
    let (_server, host) = registry(&world);
    let name = format!("{host}/team/orders-api:1.4.0");
    let pushed = world.run(["push", "orders-api:1.4.0", &name, "--format", "json"]).exits(0).json();
    assert_eq!(pushed["referrers"], 4, "{pushed}");
    let verified = world.run(["verify", &name, "--format", "json"]).exits(0).json();
    assert_eq!((&verified["verified"], &verified["digest"]), (&true.into(), &pushed["digest"]));
    let bare = format!("{host}/team/bare:1");
    world.run(["push", "orders-api:1.4.0", &bare, "--image-only"]).exits(0);
    world.run(["verify", &bare]).exits(1);
}

/// Tags of a repository, as crane lists them.
fn tags(repository: &str) -> Vec<String> {
    let listed = Run::of(Command::new("crane").args(["ls", "--insecure", repository])).exits(0);
    let mut tags: Vec<String> = listed.stdout.lines().map(str::to_owned).collect();
    tags.sort();
    tags
}

#[test]
fn signatures_are_found_by_the_means_that_a_registry_has() {
    if !needs(&["crane", "referrers", "registry"]) {
        return;
    }
    let world = World::new();
    let image = vulnerable(&world);
    let (_first, lists) = registry_with_referrers();
    let (_second, does_not) = registry(&world);
    let (there, elsewhere) = (format!("{lists}/team/app:1"), format!("{does_not}/team/app:1"));
    let pushed = world.run(["push", "-q", &image, &there, "--format", "json"]).exits(0).json();
    world.run(["sign", &there]).exits(0);
    std::fs::write(world.path("predicate.json"), "{}").unwrap();
    world.run(["attest", &there, "--type", "spdx", "--predicate", "predicate.json"]).exits(0);
    let verify = |name: &str| {
        let run =
            world.run(["verify", name, "--require", "signature", "--require", "spdx", "--format", "json"]);
        let value = run.exits(0).json();
        assert_eq!((&value["digest"], value["examined"].as_array().unwrap().len()), (&pushed["digest"], 2));
    };
    verify(&there);
    // This registry lists what refers to an image and does not say so when it is pushed, so that the tag for those that cannot
    // list is written, too. Nothing depends on it.
    let fallback = pushed["digest"].as_str().unwrap().replace(':', "-");
    assert_eq!(tags(&format!("{lists}/team/app")), ["1", &fallback]);
    let tag = format!("{lists}/team/app:{fallback}");
    Run::of(Command::new("crane").args(["delete", "--insecure", &tag])).exits(0);
    verify(&there);

    // A registry that does not list them has only the tag, and what is copied back is listed again.
    world.run(["copy", "-q", "--all", &there, &elsewhere]).exits(0);
    verify(&elsewhere);
    assert_eq!(tags(&format!("{does_not}/team/app")), ["1", &fallback]);
    let back = format!("{lists}/back/app:1");
    world.run(["copy", "-q", "--all", &elsewhere, &back]).exits(0);
    verify(&back);

    if needs(&["cosign"]) {
        let key = world.data("keys/kiln.pub").display().to_string();
        let mut cosign = Command::new("cosign");
        cosign.args([
            "verify",
            "--key",
            &key,
            "--insecure-ignore-tlog=true",
            "--allow-insecure-registry",
            &there,
        ]);
        Run::of(cosign.env("HOME", world.path("home"))).exits(0);
    }
}

/// What cosign 2 writes beside an image, and what `kiln sign --legacy` does.
#[test]
fn tags_of_signatures_come_along() {
    if !needs(&["registry"]) {
        return;
    }
    let world = World::new();
    let image = vulnerable(&world);
    let (_server, host) = registry(&world);
    let name = format!("{host}/team/app:1");
    world.run(["push", "-q", &image, &name]).exits(0);
    for key in ["a", "b"] {
        world.run(["keygen", "--output-key-prefix", key]).exits(0);
    }
    let sign = |name: &str, key: &str| world.run(["sign", name, "--legacy", "--key", key]).exits(0);
    sign(&name, "a.key");
    std::fs::write(world.path("p.json"), "{}").unwrap();
    world
        .run(["attest", &name, "--legacy", "--key", "a.key", "--type", "spdx", "--predicate", "p.json"])
        .exits(0);
    let verify = |name: &str, key: &str| {
        let asked = ["--require", "signature", "--require", "spdx"];
        world.run([&["verify", name, "--key", key], &asked[..]].concat())
    };
    let pulled = world.run(["pull", &name]).exits(0);
    assert!(pulled.stderr.contains("2 tags of signatures"), "{}", pulled.stderr);
    verify(&format!("store:{name}"), "a.pub").exits(0);
    let (other, archive) = (format!("{host}/other/app:1"), "oci-archive:app.tar".to_owned());
    // A layout or an archive with one image needs no tag, whatever lies beside it.
    for (to, asked) in [("oci:lay:1", "oci:lay"), (&archive, &archive), (&other, &other)] {
        let copied = world.run(["copy", "--all", &name, to, "--format", "json"]).exits(0).json();
        assert_eq!(copied["tags"].as_array().unwrap().len(), 2, "{copied}");
        verify(asked, "a.pub").exits(0);
    }
    // Signatures that are there stay, and those that are new are added.
    sign(&other, "b.key");
    world
        .run(["attest", &other, "--legacy", "--key", "b.key", "--type", "spdx", "--predicate", "p.json"])
        .exits(0);
    sign(&name, "a.key");
    world.run(["copy", "--all", &name, &other]).exits(0);
    verify(&other, "a.pub").exits(0);
    verify(&other, "b.pub").exits(0);
    world.run(["copy", "--all", &other, "oci:lay:1"]).exits(0);
    verify("oci:lay:1", "b.pub").exits(0);
    // Without --all, a copy is the image alone.
    world.run(["copy", &name, "oci:bare:1"]).exits(0);
    verify("oci:bare:1", "a.pub").exits(1);
}

#[test]
fn what_cannot_be_is_said() {
    let world = World::new();
    let image = vulnerable(&world);
    let cases: &[(&[&str], i32, &str)] = &[
        (&["push", &image, "app:1"], 2, "the name has no registry"),
        (&["push", "absent:1", "127.0.0.1:1/app:1"], 2, "there is no image `absent:1` here"),
        (&["push", &image, "127.0.0.1:1/app:1"], 3, "registry.network"),
        (&["pull", "app:1"], 2, "the name has no host"),
        (&["pull", "127.0.0.1:1/app:1"], 3, "127.0.0.1:1"),
        (&["pull", "127.0.0.1:1/app:1", "--offline"], 2, "--offline"),
        (&["scan", "127.0.0.1:1/App:1"], 2, "127.0.0.1:1/App:1"),
        (&["copy", &image, "127.0.0.1:1/app@sha256:00"], 2, "digest"),
    ];
    for (args, code, text) in cases {
        let run = world.run(*args).exits(*code);
        assert!(run.stderr.contains(text), "{args:?}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{args:?}");
    }
}
