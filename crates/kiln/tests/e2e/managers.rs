//! Apps of every package manager, installed from the registry that this machine's npm uses, and started.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Run, World};
use crate::ship::{can_ship, shipped};

const MS: &str =
    "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==";
/// Says what it got of the package, and ends.
const INDEX: &str = "console.log('got', require('ms')(60000));\n";

/// What the app in the image prints, started as the image says; `None` where nothing unpacks it.
fn started(world: &World, app: &Path) -> Option<String> {
    let app = shipped(world, app, "1.0.0")?;
    let root = app.parent().unwrap();
    let config = config(&world.path("layout"));
    let words = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let mut node = Command::new("unshare");
    node.args(["--user", "--map-root-user", "--root"]).arg(root).arg("--wd");
    node.arg(config["WorkingDir"].as_str().unwrap()).args(words(&config["Entrypoint"])).env_clear();
    let env = words(&config["Env"]);
    node.envs(env.iter().filter_map(|variable| variable.split_once('=')));
    // Searched by its path here, found by the same path there.
    node.env("PATH", std::env::var("PATH").unwrap());
    Some(Run::of(&mut node).exits(0).stdout)
}

/// How the only image of a layout is started.
fn config(layout: &Path) -> Value {
    let read = |path: &str| -> Value {
        let text = fs::read_to_string(layout.join(path)).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let blob = |of: &Value| {
        let digest = of["digest"].as_str().unwrap();
        read(&format!("blobs/{}", digest.replace(':', "/")))
    };
    let index = read("index.json");
    let named = |one: &&Value| !one["annotations"]["org.opencontainers.image.ref.name"].is_null();
    let manifest = blob(index["manifests"].as_array().unwrap().iter().find(named).unwrap());
    blob(&manifest["config"])["config"].clone()
}

/// npm's first version of the lock file is converted by npm, and holds what it pins.
#[test]
fn npm_with_the_first_version_of_its_lock_file() {
    if !can_ship() {
        return;
    }
    let lock = |version: &str, integrity: &str| {
        format!(
            r#"{{"name": "old", "version": "1.0.0", "lockfileVersion": 1, "requires": true, "dependencies": {{"ms": {{
                "version": "{version}", "resolved": "https://registry.example.invalid/ms/-/ms-{version}.tgz",
                "integrity": "{integrity}"}}}}}}"#
        )
    };
    let package = r#"{"name": "old", "version": "1.0.0", "license": "MIT", "scripts": {"start": "node index.js"},
        "dependencies": {"ms": "^2.1.0"}}"#;
    let app = |world: &World, lock: &str| {
        world.app(&[
            ("package.json", package),
            ("package-lock.json", lock),
            (".npmrc", "replace-registry-host=always\n"),
            ("index.js", INDEX),
        ])
    };
    let world = World::sharing();
    let good = app(&world, &lock("2.1.3", MS));
    if let Some(said) = started(&world, &good) {
        assert_eq!(said, "got 1m\n");
    }
    let note = world.run(["build", good.to_str().unwrap()]).exits(0).stderr;
    assert!(note.contains("note: package-lock.json is version 1; npm converts it"), "{note}");
    // Another release than the one of the hash, which npm has downloaded before and takes by its hash.
    let world = World::sharing();
    let wrong = app(&world, &lock("2.1.2", MS));
    let run = world.run(["build", wrong.to_str().unwrap()]).exits(2);
    assert!(run.stderr.contains("build.not_as_locked"), "{}", run.stderr);
}
