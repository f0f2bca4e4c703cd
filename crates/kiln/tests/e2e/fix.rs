//! `kiln fix`: Dockerfiles as people write them, and what becomes of them. The golden files lie beside each project in
//! `expected/<target>`; `UPDATE=1` writes them anew.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::{Run, World, copy, project};

/// Each project with the targets it can have.
const PROJECTS: [(&str, &[&str]); 11] = [
    ("chainguard-node-node", &["kiln", "chainguard"]),
    ("cron-worker", &["kiln", "slim"]),
    ("entrypoint-script", &["alpine", "slim"]),
    ("express-root", &["kiln", "distroless", "dhi", "slim", "alpine"]),
    ("heredoc-packages", &["slim"]),
    ("native-alpine-to-distroless", &["kiln", "distroless", "alpine"]),
    ("nest-api", &["kiln", "distroless"]),
    ("next-standalone", &["kiln", "distroless"]),
    ("pnpm-workspace", &["kiln", "distroless"]),
    ("private-registry-token", &["kiln", "distroless"]),
    ("yarn-classic", &["kiln", "distroless"]),
];

fn folder(name: &str) -> PathBuf {
    project().join("crates/kiln/tests/dockerfiles").join(name)
}

/// A copy of a project, without what is expected of it.
pub(crate) fn naive(world: &World, name: &str) -> PathBuf {
    let target = world.path(name);
    drop(fs::remove_dir_all(&target));
    copy(&folder(name), &target);
    drop(fs::remove_dir_all(target.join("expected")));
    target
}

fn fix(world: &World, app: &Path, more: &[&str]) -> Run {
    world.run([&["fix", app.to_str().unwrap()], more].concat())
}

#[test]
fn naive_projects_become_what_is_expected() {
    let world = World::new();
    for (name, targets) in PROJECTS {
        for target in targets {
            let app = naive(&world, name);
            fix(&world, &app, &["--to", target]).exits(0);
            let expected = folder(name).join("expected").join(target);
            for file in ["Dockerfile", ".dockerignore", ".npmrc", "package.json"] {
                let mut text = fs::read_to_string(app.join(file)).unwrap_or_default();
                let is_as_before = fs::read_to_string(folder(name).join(file)).is_ok_and(|old| old == text);
                if file == "package.json" && is_as_before {
                    text.clear();
                }
                // A name without the dot is seen by people.
                let golden = expected.join(file.trim_start_matches('.'));
                if std::env::var("UPDATE").is_ok() && !text.is_empty() {
                    fs::create_dir_all(&expected).unwrap();
                    fs::write(&golden, &text).unwrap();
                }
                assert_eq!(
                    text,
                    fs::read_to_string(&golden).unwrap_or_default(),
                    "{name} on {target}: {file}"
                );
            }
        }
    }
}

#[test]
fn every_project_is_listed() {
    let mut found: Vec<String> = fs::read_dir(folder(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, PROJECTS.map(|(name, _)| name));
}

#[test]
fn what_is_rewritten_is_not_rewritten_again() {
    let world = World::new();
    for (name, targets) in PROJECTS {
        for target in targets {
            let app = naive(&world, name);
            fix(&world, &app, &["--to", target, "-q"]).exits(0);
            let run = fix(&world, &app, &["--to", target, "--check"]).exits(0);
            assert!(run.stderr.contains("nothing to change"), "{name} on {target}: {}", run.stderr);
            fix(&world, &app, &["--check"]).exits(0);
        }
    }
}

#[test]
fn looking_writes_nothing() {
    let world = World::new();
    let app = naive(&world, "express-root");
    let before = fs::read_to_string(app.join("Dockerfile")).unwrap();
    let run = fix(&world, &app, &["--diff"]).exits(0);
    assert!(run.stdout.starts_with("--- a/Dockerfile\n+++ b/Dockerfile\n@@ "), "{}", run.stdout);
    assert!(
        run.stdout.contains("\n-CMD npm start\n") && run.stdout.contains("+++ b/.dockerignore\n"),
        "{}",
        run.stdout
    );
    assert!(run.stderr.contains("line 15: a shell starts the app"), "{}", run.stderr);
    fix(&world, &app, &["--check"]).exits(1);
    assert_eq!(fs::read_to_string(app.join("Dockerfile")).unwrap(), before);
    assert!(!app.join(".dockerignore").exists());
    let json = fix(&world, &app, &["--check", "--format", "json"]).exits(1).json();
    assert_eq!((&json["written"], &json["base"]), (&false.into(), &"distroless".into()), "{json}");
}

#[test]
fn secrets_leave_the_file() {
    let world = World::new();
    let app = naive(&world, "private-registry-token");
    let run = fix(&world, &app, &[]).exits(0);
    assert!(run.stderr.contains("--secret id=npm_token,env=NPM_TOKEN"), "{}", run.stderr);
    let text = fs::read_to_string(app.join("Dockerfile")).unwrap();
    assert!(!text.contains("sk_test") && !text.contains("ARG NPM_TOKEN"), "{text}");
}

#[test]
fn what_cannot_be_right_is_refused() {
    let world = World::new();
    let manifest = r#"{"name": "a", "version": "1.0.0", "scripts": {"start": "node index.js", "dev": "nodemon index.js"}}"#;
    let lock = r#"{"name": "a", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": {"name": "a", "version": "1.0.0"}}}"#;
    let cases: [(String, &str); 7] = [
        ("FROM node:24\nCOPY . .\nCMD [\"npm\", \"run\", \"dev\"]\n".into(), "is for a desk"),
        (
            "FROM node:24\nRUN npm install left-pad\nCOPY . .\nCMD node .\n".into(),
            "package.json does not list",
        ),
        (
            "FROM node:24\nCOPY . .\nCMD [\"pm2-runtime\", \"ecosystem.config.js\"]\n".into(),
            "several processes",
        ),
        ("FROM node:24 AS b\nRUN npm ci\nFROM nginx:1\nCOPY --from=b /x /y\n".into(), "serves files"),
        ("FROM node:24\nONBUILD COPY . .\nCMD node index.js\n".into(), "ONBUILD"),
        ("FROM node:24\nCOPY . .\nCMD [\"/usr/bin/supervisord\"]\n".into(), "looks after other processes"),
        ("FROM node:24\nCOPPY . .\n".into(), "COPPY"),
    ];
    for (dockerfile, why) in &cases {
        let app = world.app(&[
            ("package.json", manifest),
            ("package-lock.json", lock),
            ("index.js", ""),
            ("Dockerfile", dockerfile),
        ]);
        let run = fix(&world, &app, &[]).exits(1);
        assert!(run.stderr.contains(why), "{why}: {}", run.stderr);
        // Lines may be repaired; the structure stays.
        let after = fs::read_to_string(app.join("Dockerfile")).unwrap();
        assert!(!after.contains("prod-deps"), "{after}");
    }
    let app = world.path("app");
    fs::write(app.join("Dockerfile"), "FROM node:24\nCOPY . .\nCMD node index.js\n").unwrap();
    fs::remove_file(app.join("package-lock.json")).unwrap();
    let run = fix(&world, &app, &["--format", "json"]).exits(1).json();
    assert!(run["refused"][0]["why"].as_str().unwrap().contains("lock file"), "{run}");
    fs::remove_file(app.join("Dockerfile")).unwrap();
    assert!(fix(&world, &app, &[]).exits(2).stderr.contains("kiln.no_dockerfile"));
}

#[test]
fn lines_of_node_that_are_over_move_only_when_asked() {
    let world = World::new();
    let app = naive(&world, "cron-worker");
    let run = fix(&world, &app, &["--to", "distroless"]).exits(1);
    assert!(run.stderr.contains("--unsafe"), "{}", run.stderr);
    fix(&world, &app, &["--to", "distroless", "--unsafe"]).exits(0);
    let text = fs::read_to_string(app.join("Dockerfile")).unwrap();
    assert!(text.contains("nodejs24-debian13:nonroot"), "{text}");
}
