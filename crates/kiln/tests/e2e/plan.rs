use std::fs;

use crate::harness::{World, project};

#[test]
fn shows_a_hardened_dockerfile_and_why() {
    let world = World::new();
    let app = world.example("orders-api");
    let run = world.run(["plan".as_ref(), app.as_os_str()]).exits(0);
    for line in ["npm ci", "npm run build", "USER 65532", "dist/server.js", "HEALTHCHECK"] {
        assert!(run.stdout.contains(line), "{line} in:\n{}", run.stdout);
    }
    assert!(run.stdout.starts_with("# "), "{}", run.stdout);
    assert!(run.stdout.lines().filter(|line| line.starts_with("FROM ")).count() > 1, "{}", run.stdout);
    assert!(!run.stdout.contains("COPY . .\nRUN npm install"), "{}", run.stdout);
    assert!(run.stderr.contains(" — "), "each decision has a reason:\n{}", run.stderr);
    assert!(!app.join("kiln.lock").exists());
}

#[test]
fn is_the_same_every_time() {
    let world = World::new();
    for name in ["native-api", "orders-api", "workspace-api"] {
        let app = world.example(name);
        let plan = || world.run(["plan".as_ref(), app.as_os_str()]).exits(0).stdout;
        assert_eq!(plan(), plan(), "{name}");
    }
}

#[test]
fn is_data_for_programs() {
    let world = World::new();
    let app = world.example("orders-api");
    let run = world.run(["plan".as_ref(), app.as_os_str(), "--format".as_ref(), "json".as_ref()]).exits(0);
    let value = run.json();
    let dockerfile = world.run(["plan".as_ref(), app.as_os_str()]).exits(0).stdout;
    assert_eq!(value["dockerfile"].as_str().unwrap().trim_end(), dockerfile.trim_end());
    assert_eq!(value["plan"]["name"], "orders-api");
    assert!(!value["plan"]["reasons"].as_array().unwrap().is_empty());
}

#[test]
fn quiet_says_no_more_than_asked() {
    let world = World::new();
    let app = world.example("orders-api");
    let run = world.run(["plan".as_ref(), app.as_os_str(), "--quiet".as_ref()]).exits(0);
    assert_eq!(run.stderr, "");
}

#[test]
fn writes_only_where_nothing_is_lost() {
    let world = World::new();
    let app = world.example("orders-api");
    let before = fs::read_to_string(app.join("Dockerfile")).unwrap();
    let write = ["plan".as_ref(), app.as_os_str(), "--write".as_ref()];
    let refused = world.run(write).exits(2);
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    assert_eq!(fs::read_to_string(app.join("Dockerfile")).unwrap(), before);
    world.run(write.into_iter().chain(["--force".as_ref()])).exits(0);
    let after = fs::read_to_string(app.join("Dockerfile")).unwrap();
    assert!(after.contains("USER 65532"), "{after}");
    assert!(app.join(".dockerignore").is_file());
}

#[test]
fn kiln_toml_decides() {
    let world = World::new();
    let app = world.example("orders-api");
    fs::write(app.join("kiln.toml"), "[image]\nport = 8123\nhealth = false\n[base]\nnode = 22\n").unwrap();
    let run = world.run(["plan".as_ref(), app.as_os_str()]).exits(0);
    assert!(run.stdout.contains("EXPOSE 8123"), "{}", run.stdout);
    assert!(!run.stdout.contains("HEALTHCHECK"), "{}", run.stdout);
    fs::write(app.join("kiln.toml"), "[image]\nprot = 8123\n").unwrap();
    let run = world.run(["plan".as_ref(), app.as_os_str()]).exits(2);
    assert!(run.stderr.contains("error[kiln.config]") && run.stderr.contains("prot"), "{}", run.stderr);
}

#[test]
fn the_kiln_toml_of_the_readme_is_right() {
    let readme = fs::read_to_string(project().join("README.md")).unwrap();
    let (_, rest) = readme.split_once("```toml\n").unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    let world = World::new();
    let app = world.example("workspace-api");
    fs::write(app.join("kiln.toml"), text).unwrap();
    let run = world.run(["plan".as_ref(), app.as_os_str()]).exits(0);
    assert!(run.stdout.contains("EXPOSE 8080") && run.stdout.contains("/healthz"), "{}", run.stdout);
}

#[test]
fn what_is_left_out_is_listed_and_kiln_toml_decides() {
    let world = World::new();
    let lock = r#"{"name":"a","version":"1.0.0","lockfileVersion":3,"packages":{"":{"name":"a","version":"1.0.0"}}}"#;
    let app = world.app(&[
        ("package.json", r#"{"name":"a","version":"1.0.0","scripts":{"start":"node server.js"}}"#),
        ("package-lock.json", lock),
        ("server.js", "0"),
        ("docs/openapi.yaml", "openapi: 3"),
        ("src/test/load.js", "0"),
        ("test/fixtures/a.json", "{}"),
        ("test/a.js", "0"),
        ("public/app.js.map", "{}"),
        (".env", "A=1"),
    ]);
    let left_out = || {
        let run =
            world.run(["plan".as_ref(), app.as_os_str(), "--format".as_ref(), "json".as_ref()]).exits(0);
        let files = run.json()["left_out"].as_array().unwrap().clone();
        files.into_iter().map(|file| file["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(left_out(), [".env", "package-lock.json", "test/a.js", "test/fixtures/a.json"]);
    fs::write(app.join("kiln.toml"), "[image]\ninclude = [\"test/fixtures/**\"]\nexclude = [\"**/*.map\"]\n")
        .unwrap();
    assert_eq!(left_out(), [".env", "kiln.toml", "package-lock.json", "public/app.js.map", "test/a.js"]);
    fs::write(app.join("kiln.toml"), "[image]\ninclude = [\"a{b\"]\n").unwrap();
    let refused = world.run(["plan".as_ref(), app.as_os_str()]).exits(2);
    assert!(refused.stderr.contains("error[plan.pattern]"), "{}", refused.stderr);
}
