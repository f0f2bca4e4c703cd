//! Statements in an index, as BuildKit keeps them: read always, written where that is asked.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{Run, World, needs};
use crate::images::vulnerable;
use crate::peers::registry;

/// An image with two statements and a signature, as `oci:…`.
fn attested(world: &World) -> String {
    let image = vulnerable(world);
    fs::write(world.path("spdx.json"), r#"{"spdxVersion":"SPDX-2.3","name":"mine"}"#).unwrap();
    fs::write(
        world.path("provenance.json"),
        r#"{"runDetails":{"builder":{"id":"https://builder.example.invalid"}}}"#,
    )
    .unwrap();
    for (kind, file) in [("spdx", "spdx.json"), ("provenance", "provenance.json")] {
        world.run(["attest", &image, "--type", kind, "--predicate", file]).exits(0);
    }
    world.run(["sign", &image]).exits(0);
    image
}

fn explained(world: &World, image: &str) -> Value {
    let run = world.run(["verify", image, "--require", "signature", "--format", "json"]);
    assert!(matches!(run.code, Some(0 | 1)), "{run:?}");
    run.json()
}

/// The unsigned statements that were found, by the type they name.
fn unsigned(value: &Value) -> Vec<String> {
    let examined = value["examined"].as_array().unwrap().iter();
    let mut found: Vec<String> = examined
        .filter(|one| one["form"] == "unsigned-statement")
        .map(|one| one["rejected"]["why"].as_str().unwrap().to_owned())
        .collect();
    found.sort();
    found
}

#[test]
fn what_is_signed_is_written_into_an_index() {
    let world = World::new();
    let image = attested(&world);
    let copied = world.run(["copy", "-q", "--all", "--index-attestations", &image, "oci:out:1"]).exits(0);
    let value = explained(&world, "oci:out:1");
    assert_eq!(
        unsigned(&value),
        ["nobody signed this https://slsa.dev/provenance/v1", "nobody signed this https://spdx.dev/Document"]
    );
    // The signature came along, and is about the image.
    assert_eq!(value["verified"], true);
    assert!(!copied.stdout.contains(value["digest"].as_str().unwrap()), "the name stands for the index");
    // The same again changes nothing, and nothing is there twice.
    let again =
        world.run(["copy", "-q", "--all", "--index-attestations", "oci:out:1", "oci:again:1"]).exits(0);
    let digest = |run: &Run| run.stdout.trim().rsplit('@').next().unwrap().to_owned();
    assert_eq!(digest(&again), digest(&copied));

    world.run(["copy", "-q", "--index-attestations", &image, "docker-archive:x.tar"]).exits(2);
    let bare = World::new();
    let none = bare.run(["copy", "-q", "--index-attestations", &vulnerable(&bare), "oci:out:1"]).exits(2);
    assert!(none.stderr.contains("there are none about"), "{}", none.stderr);
    assert!(bare.run(["verify", "oci:out:1"]).code != Some(0), "nothing got the name");
}

#[test]
fn buildx_shows_what_kiln_writes() {
    if !needs(&["buildx", "registry"]) {
        return;
    }
    let world = World::new();
    let image = attested(&world);
    let (_server, host) = registry(&world);
    let name = format!("{host}/team/app:1");
    world.run(["copy", "-q", "--all", "--index-attestations", &image, &name]).exits(0);
    let inspect = |what: &str| {
        let format = format!("{{{{json .{what}}}}}");
        let mut buildx = Command::new("buildx");
        buildx.args(["imagetools", "inspect", &name, "--format", &format]).env("HOME", world.path("home"));
        Run::of(&mut buildx).exits(0).json()
    };
    assert_eq!(inspect("SBOM")["SPDX"], json!({ "spdxVersion": "SPDX-2.3", "name": "mine" }));
    assert_eq!(
        inspect("Provenance")["SLSA"]["runDetails"]["builder"]["id"],
        "https://builder.example.invalid"
    );
}

#[test]
fn kiln_reads_what_buildkit_writes() {
    if !needs(&["buildkit", "registry"]) {
        return;
    }
    let world = World::new();
    fs::create_dir(world.path("context")).unwrap();
    fs::write(world.path("context/Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n").unwrap();
    let context = world.path("context").display().to_string();
    // kiln's own key, which nothing of BuildKit's is signed with.
    attested(&world);
    for artifact in ["true", "false"] {
        let out = world.path(&format!("{artifact}.tar"));
        let mut build = Command::new("buildctl");
        build
            .args([
                "build",
                "--progress=plain",
                "--frontend",
                "dockerfile.v0",
                "--opt",
                "attest:provenance=mode=max",
            ])
            .args(["--local", &format!("context={context}"), "--local", &format!("dockerfile={context}")])
            .args(["--output", &format!("type=oci,oci-artifact={artifact},dest={}", out.display())]);
        Run::of(&mut build).exits(0);
        let image = format!("oci-archive:{}", out.display());
        let found = unsigned(&explained(&world, &image));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("https://slsa.dev/provenance/"), "{found:?}");
        // All of it is carried along.
        let (_server, host) = registry(&world);
        let name = format!("{host}/team/{artifact}:1");
        world.run(["copy", "-q", &image, &name]).exits(0);
        assert_eq!(unsigned(&explained(&world, &name)), found);
    }
}
