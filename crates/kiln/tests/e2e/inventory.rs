//! What is read besides images: folders and SBOMs.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Run, World, needs, project};

/// Every format that `kiln sbom` writes.
pub(crate) const FORMATS: [&str; 4] = ["cyclonedx-1.7-json", "cyclonedx-json", "spdx-3-json", "spdx-json"];

fn scan(world: &World, target: &str) -> Value {
    world.run(["scan", target, "--format", "json"]).exits(0).json()[0].take()
}

/// Package and advisory of every match.
fn found(scan: &Value) -> BTreeSet<String> {
    let matches = scan["report"]["matches"].as_array().unwrap();
    matches.iter().map(|found| format!("{} {}", found["package"], found["id"])).collect()
}

fn packages(scan: &Value) -> BTreeSet<String> {
    let packages = scan["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| format!("{} {} {}", package["ecosystem"], package["name"], package["version"]))
        .collect()
}

#[test]
fn a_folder_is_scanned_by_its_lock_file() {
    let world = World::new();
    let locks = project().join("crates/kiln-node/tests/locks");
    let mut all = Vec::new();
    for (name, file) in [
        ("npm-3.json", "package-lock.json"),
        ("pnpm-9.yaml", "pnpm-lock.yaml"),
        ("yarn-berry.lock", "yarn.lock"),
        ("bun.lock", "bun.lock"),
    ] {
        let app = world.path(file);
        std::fs::create_dir_all(&app).unwrap();
        std::fs::copy(locks.join("package.json"), app.join("package.json")).unwrap();
        std::fs::copy(locks.join(name), app.join(file)).unwrap();
        let scanned = scan(&world, app.to_str().unwrap());
        assert_eq!(scanned["image"]["digest"], Value::Null);
        assert!(found(&scanned).iter().any(|found| found.contains("esbuild")), "{name}");
        all.push((packages(&scanned), found(&scanned)));
    }
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{all:?}");
    assert_eq!(all[0].0.len(), 92);
}

/// The version of yarn that the packages of a folder without `node_modules` are installed with.
const YARN: &str = "@yarnpkg/cli-dist@4.18.1";

/// What yarn says that it installed is what kiln finds, with the table inside the loader and beside it.
#[test]
fn a_folder_without_node_modules_is_what_yarn_says() {
    if !needs(&["npm"]) {
        return;
    }
    let world = World::new();
    let packed =
        Run::of(Command::new("npm").args(["pack", "--silent", YARN]).current_dir(world.path("."))).exits(0);
    Run::of(Command::new("tar").args(["xzf", packed.stdout.trim()]).current_dir(world.path("."))).exits(0);
    let registry = Run::of(Command::new("npm").args(["config", "get", "registry"]).current_dir("/")).exits(0);
    let app = world.path("app");
    std::fs::create_dir(&app).unwrap();
    let manifest = serde_json::json!({"name": "app", "version": "1.0.0", "dependencies": {"express": "4.19.2", "old": "npm:lodash@4.17.20"},
        "devDependencies": {"typescript": "5.4.5"}});
    std::fs::write(app.join("package.json"), manifest.to_string()).unwrap();
    std::fs::write(app.join("yarn.lock"), "").unwrap();
    let yarn = |args: &[&str]| {
        let mut command = Command::new("node");
        command.arg(world.path("package/bin/yarn.js")).args(args).current_dir(&app);
        Run::of(command.env("YARN_GLOBAL_FOLDER", world.path("global"))).exits(0).stdout
    };
    for inlined in [true, false] {
        let settings = format!(
            "nodeLinker: pnp\nenableGlobalCache: false\nenableTelemetry: false\nenableImmutableInstalls: false\npnpEnableInlining: {inlined}\nnpmRegistryServer: \"{}\"\n",
            registry.stdout.trim()
        );
        std::fs::write(app.join(".yarnrc.yml"), settings).unwrap();
        yarn(&["install"]);
        assert_eq!(app.join(".pnp.data.json").exists(), !inlined);
        let listed = yarn(&["info", "--all", "--recursive", "--name-only", "--json"]);
        let listed: BTreeSet<String> =
            listed.lines().filter_map(|line| said(serde_json::from_str::<String>(line).unwrap())).collect();
        assert!(listed.len() > 70 && listed.contains("npm lodash 4.17.20"), "{listed:?}");
        let scanned = scan(&world, app.to_str().unwrap());
        let mut found: BTreeSet<String> =
            packages(&scanned).iter().map(|package| package.replace('"', "")).collect();
        assert!(found.remove("npm app "), "{found:?}");
        assert_eq!(found, listed);
        assert_eq!(scanned["report"]["unread"], serde_json::json!([]));
        let lodash =
            scanned["packages"].as_array().unwrap().iter().find(|package| package["name"] == "lodash");
        assert_eq!(lodash.unwrap()["direct"], serde_json::json!(["lodash@4.17.20"]));
        // The lock file is not read a second time.
        assert!(
            scanned["notes"][0].as_str().unwrap().starts_with("yarn.lock was not read: .pnp."),
            "{}",
            scanned["notes"]
        );
        std::fs::remove_file(app.join(".pnp.cjs")).unwrap();
    }
}

/// `debug@virtual:…#npm:4.3.4`, `typescript@patch:typescript@npm%3A5.4.5#…`; nothing of the project itself.
fn said(locator: String) -> Option<String> {
    let at = locator[1..].find('@').unwrap() + 1;
    let (name, reference) = (&locator[..at], &locator[at + 1..]);
    let reference =
        if reference.starts_with("virtual:") { reference.split_once('#').unwrap().1 } else { reference };
    if reference.starts_with("workspace:") {
        return None;
    }
    let (name, version) = match reference.strip_prefix("patch:") {
        Some(patched) => patched.split_once("@npm%3A").unwrap(),
        None => (name, reference.strip_prefix("npm:").unwrap()),
    };
    let version = version.split(['#', ':']).next().unwrap();
    let (name, version) = version.rsplit_once('@').unwrap_or((name, version));
    Some(format!("npm {name} {version}"))
}

/// A file is replaced by one that is whole; a link stays, and what is no file is written to.
#[test]
fn a_bill_of_material_replaces_a_file_as_a_whole() {
    let world = World::new();
    let image = crate::images::vulnerable(&world);
    let target = world.path("real.json");
    std::fs::write(&target, "old").unwrap();
    let old = std::fs::File::open(&target).unwrap();
    std::os::unix::fs::symlink("real.json", world.path("link.json")).unwrap();
    world.run(["sbom", &image, "--output", "link.json"]).exits(0);
    assert!(std::fs::symlink_metadata(world.path("link.json")).unwrap().is_symlink());
    let written: Value = serde_json::from_slice(&std::fs::read(&target).unwrap()).unwrap();
    assert_eq!(written["spdxVersion"], "SPDX-2.3");
    // Whoever reads the old one still reads all of it.
    assert_eq!(std::io::read_to_string(old).unwrap(), "old");
    let left: Vec<_> =
        std::fs::read_dir(world.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".tmp")), "{left:?}");
    let through = world.run(["sbom", &image, "--output", "/dev/stdout"]).exits(0);
    assert_eq!(through.json(), written);
    world.run(["sbom", &image, "--output", "none/x.json"]).exits(3);
}

#[test]
fn a_bill_of_material_gives_the_findings_of_what_it_is_about() {
    let world = World::new();
    let image = crate::images::vulnerable(&world);
    let of_image = scan(&world, &image);
    assert!(found(&of_image).len() > 1, "{of_image}");
    for format in FORMATS {
        let path = world.path(format);
        let path = path.to_str().unwrap();
        world.run(["sbom", &image, "--type", format, "-o", path]).exits(0);
        for target in [path.to_owned(), format!("sbom:{path}")] {
            let of_document = scan(&world, &target);
            assert_eq!(found(&of_document), found(&of_image), "{format}");
            assert_eq!(of_document["packages"], of_image["packages"], "{format}");
        }
    }
}

#[test]
fn what_is_no_bill_of_material_says_so() {
    let world = World::new();
    let app = world.app(&[("x.json", "{}"), ("y.json", r#"{"bomFormat":"CycloneDX","specVersion":"1.6"}"#)]);
    let run = world.run(["scan", app.join("x.json").to_str().unwrap()]).exits(3);
    assert!(run.stderr.contains("error[sbom.unknown]"), "{}", run.stderr);
    let empty = format!("sbom:{}", app.join("y.json").display());
    let run = world.run(["scan", &empty, "--fail-on", "low"]).exits(3);
    assert!(run.stdout.contains("it names no package"), "{}", run.stdout);
    world.run(["scan", "./missing"]).exits(2);
}
