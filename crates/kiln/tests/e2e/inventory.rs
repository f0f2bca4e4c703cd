//! What is read besides images: folders and bills of material.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{World, project};

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
