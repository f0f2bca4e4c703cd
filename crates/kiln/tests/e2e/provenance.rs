//! Whether what is signed about the sources is true, and whether others' policies can ask for it.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::harness::{Run, World, needs};
use crate::peers::registry;
use crate::ship::can_ship;

const REPOSITORY: &str = "https://git.example/org/app";

/// An app that needs no packages, in a repository that was cloned with a token.
fn committed(world: &World) -> String {
    let app = world.app(&[
        ("package.json", r#"{"name":"app","version":"1.0.0","main":"server.js","engines":{"node":"24"}}"#),
        ("package-lock.json", r#"{"name":"app","version":"1.0.0","lockfileVersion":3,"packages":{"":{"name":"app","version":"1.0.0"}}}"#),
        ("server.js", "require('http').createServer((_, answer) => answer.end()).listen(3000)\n"),
    ]);
    git(&app, &["init", "-q", "-b", "main"]);
    git(&app, &["remote", "add", "origin", "https://me:token@git.example/org/app"]);
    commit(&app);
    app.to_str().unwrap().to_owned()
}

fn git(folder: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=A", "-c", "user.email=a@git.example", "-c", "commit.gpgsign=false"];
    Run::of(Command::new("git").args(identity).args(arguments).current_dir(folder)).exits(0);
}

fn commit(folder: &Path) {
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-q", "-m", "one"]);
}

#[test]
fn no_commit_is_claimed_that_the_sources_are_not() {
    if !can_ship() {
        return;
    }
    let world = World::new();
    let app = committed(&world);
    let ship = || world.run(["ship", &app, "--explain"]);
    let verify = |repository: &str| world.run(["verify", "app:1.0.0", "--source-repository", repository]);
    let shipped = ship().exits(0);
    let shown = shipped.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains("every file is as in commit") && shown.contains(REPOSITORY), "{shown}");
    assert!(!shipped.stdout.contains("token") && !shipped.stderr.contains("token"));
    verify(REPOSITORY).exits(0);
    verify("https://git.example/org/other").exits(1);
    assert!(ship().exits(0).stderr.contains("signed before"));

    let server = Path::new(&app).join("server.js");
    fs::write(&server, "require('http').createServer((_, answer) => answer.end('1')).listen(3000)\n")
        .unwrap();
    let changed = ship().exits(0);
    assert!(changed.stderr.contains(", changed: server.js"), "{}", changed.stderr);
    verify(REPOSITORY).exits(1);
    fs::write(Path::new(&app).join("kiln.toml"), "[policy]\ncommitted-sources = true\n").unwrap();
    let refused = ship().exits(1);
    assert!(refused.stdout.contains("SG004"), "{}", refused.stdout);
    // The same image is said to be of a commit once it is.
    commit(Path::new(&app));
    let again = ship().exits(0);
    assert!(again.stderr.contains("  sign      SLSA provenance; sources: commit"), "{}", again.stderr);
    verify(REPOSITORY).exits(0);
}

#[test]
fn policies_of_cosign_can_ask_for_it() {
    if !can_ship() || !needs(&["cosign", "registry"]) {
        return;
    }
    let world = World::new();
    let app = committed(&world);
    world.run(["ship", &app, "-q"]).exits(0);
    let (_server, host) = registry(&world);
    let image = format!("{host}/team/app:1");
    world.run(["copy", "--all", "app:1.0.0", &image]).exits(0);
    let home = world.path("home");
    fs::create_dir(&home).unwrap();
    let key = world.data("keys/kiln.pub");
    let ask = |name: &str, policy: &str| {
        let file = world.path(name);
        fs::write(&file, policy).unwrap();
        let mut cosign = Command::new("cosign");
        cosign.args(["verify-attestation", "--type", "slsaprovenance1", "--insecure-ignore-tlog=true"]);
        cosign.args(["--allow-insecure-registry", "--key"]).arg(&key).arg("--policy").arg(&file).arg(&image);
        Run::of(cosign.env("HOME", &home))
    };
    let rego = |repository: &str| {
        format!(
            "package signature\n\nimport rego.v1\n\ndefault allow := false\n\nallow if {{\n\
             \x20 input.predicate.buildDefinition.externalParameters.source == \"git+{repository}@refs/heads/main\"\n\
             \x20 input.predicate.buildDefinition.resolvedDependencies[0].digest.gitCommit\n\
             \x20 input.predicate.runDetails.builder.id == \"https://kiln.dev/builder/local/v1\"\n}}\n"
        )
    };
    let cue = |repository: &str| {
        format!(
            "predicateType: \"https://slsa.dev/provenance/v1\"\npredicate: buildDefinition: externalParameters: \
             source: \"git+{repository}@refs/heads/main\"\n"
        )
    };
    ask("right.rego", &rego(REPOSITORY)).exits(0);
    ask("right.cue", &cue(REPOSITORY)).exits(0);
    assert_ne!(ask("wrong.rego", &rego("https://git.example/org/other")).code, Some(0));
    assert_ne!(ask("wrong.cue", &cue("https://git.example/org/other")).code, Some(0));
}
