//! What is kept, how it is shown, and how it goes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;

use kiln_disk::{Holding, Lock};
use serde_json::Value;

use crate::harness::{Run, World, needs, project};
use crate::images::image_in;
use crate::kept::is_sound;

/// A world whose cache is its own.
fn world() -> World {
    World::new()
}

fn kiln(world: &World, args: &[&str]) -> Run {
    Run::of(world.kiln().env("KILN_CACHE_DIR", world.path("cache")).args(args))
}

/// Brings an image of one file into the store.
fn bring(world: &World, name: &str, text: &str) {
    let folder = image_in(&world.path(&format!("layout-{text}")), &[("etc/text", 0o644, text)]);
    kiln(world, &["copy", &format!("oci:{}:1", folder.display()), name, "-q"]).exits(0);
}

fn images(world: &World) -> Vec<Value> {
    let listed = kiln(world, &["images", "--format", "json"]).exits(0).json();
    listed["images"].as_array().unwrap().clone()
}

fn blobs(world: &World) -> Vec<PathBuf> {
    let entries = fs::read_dir(world.data("store/blobs/sha256")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn images_are_listed_and_go_with_all_that_is_attached() {
    let world = world();
    bring(&world, "app:1", "one");
    bring(&world, "team/other:2", "two");
    kiln(&world, &["sign", "app:1", "-q"]).exits(0);
    let listed = images(&world);
    assert_eq!(listed.len(), 2, "{listed:?}");
    assert_eq!(listed[0]["name"], "app:1");
    assert_eq!(listed[0]["platforms"][0], "linux/amd64");
    assert_eq!(listed[0]["attached"][0]["kind"], "signature");
    assert_eq!(listed[0]["whole"], true);
    assert_eq!(listed[1]["attached"], Value::Array(Vec::new()));
    let text = kiln(&world, &["images"]).exits(0).stdout;
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let other: Vec<String> = listed[1..].iter().map(|image| image["digest"].to_string()).collect();
    kiln(&world, &["rm", "app:1", "nosuch:1"]).exits(2);
    assert_eq!(images(&world).len(), 2, "none goes where one is not there");
    let removed = kiln(&world, &["rm", "app:1", "--format", "json"]).exits(0).json();
    assert_eq!(removed["removed"][0], "app:1");
    assert!(removed["bytes"].as_u64().unwrap() > 0);
    let left = images(&world);
    assert_eq!(left.iter().map(|image| image["digest"].to_string()).collect::<Vec<_>>(), other);
    assert_eq!(blobs(&world).len(), 3, "layer, configuration and manifest of the other image");
    kiln(&world, &["rm", left[0]["digest"].as_str().unwrap()]).exits(0);
    assert!(blobs(&world).is_empty());
    is_sound(&world.data("store"));
}

#[test]
fn what_no_name_leads_to_is_pruned_and_nothing_else() {
    let world = world();
    bring(&world, "app:1", "one");
    kiln(&world, &["sign", "app:1", "-q"]).exits(0);
    bring(&world, "app:1", "two");
    kiln(&world, &["sign", "app:1", "-q"]).exits(0);
    let before = blobs(&world).len();
    let would = kiln(&world, &["prune", "--dry-run", "--format", "json"]).exits(0).json();
    assert_eq!(blobs(&world).len(), before);
    let young = kiln(&world, &["prune", "--older-than", "1d", "--format", "json"]).exits(0).json();
    assert_eq!(young["bytes"], 0);
    assert_eq!(blobs(&world).len(), before);
    let did = kiln(&world, &["prune", "--format", "json"]).exits(0).json();
    assert_eq!(would["bytes"], did["bytes"]);
    assert_eq!(would["kinds"], did["kinds"]);
    assert!(blobs(&world).len() < before && did["bytes"].as_u64().unwrap() > 0);
    assert_eq!(images(&world)[0]["attached"].as_array().unwrap().len(), 1);
    kiln(&world, &["verify", "app:1", "--require", "signature"]).exits(0);
    is_sound(&world.data("store"));
    assert_eq!(kiln(&world, &["prune", "--format", "json"]).exits(0).json()["bytes"], 0);
}

#[test]
fn the_whole_cache_goes_when_asked() {
    let world = world();
    bring(&world, "app:1", "one");
    kiln(&world, &["scan", "app:1", "-q"]).exits(0);
    let cache = world.path("cache");
    assert!(fs::read_dir(cache.join("facts")).unwrap().count() > 1);
    fs::create_dir_all(cache.join("layers/one/results/old-1/fs")).unwrap();
    fs::write(cache.join("layers/one/results/old-1/fs/file"), "unnamed").unwrap();
    fs::create_dir_all(cache.join("mounts/one/0123/fs")).unwrap();
    fs::write(cache.join("mounts/one/0123/fs/file"), "just used").unwrap();
    kiln(&world, &["prune"]).exits(0);
    assert!(!cache.join("layers/one/results/old-1").exists(), "nothing leads to it");
    assert!(cache.join("mounts/one/0123/fs/file").exists());
    assert!(fs::read_dir(cache.join("facts")).unwrap().count() > 1);
    kiln(&world, &["prune", "--all"]).exits(0);
    let mut left = Vec::new();
    crate::kept::files(&cache, &mut left);
    assert_eq!(left, [cache.join(".in-use")]);
    kiln(&world, &["scan", "app:1", "-q"]).exits(0);
}

#[test]
fn what_another_kiln_uses_stays() {
    let world = world();
    bring(&world, "app:1", "one");
    let before = blobs(&world).len();
    // As another kiln holds it while it works.
    let lock = Lock::wait(&world.data(".in-use"), Holding::Shared).unwrap();
    let run = kiln(&world, &["rm", "app:1"]).exits(0);
    assert!(run.stderr.contains("another kiln is at work"), "{}", run.stderr);
    assert!(images(&world).is_empty());
    assert_eq!(blobs(&world).len(), before);
    let mut prune = world.kiln();
    prune
        .env("KILN_CACHE_DIR", world.path("cache"))
        .arg("prune")
        .stderr(Stdio::piped())
        .stdout(Stdio::null());
    let mut prune = prune.spawn().unwrap();
    let mut said = String::new();
    BufReader::new(prune.stderr.take().unwrap()).read_line(&mut said).unwrap();
    assert!(said.starts_with("waiting for other kilns"), "{said}");
    assert_eq!(blobs(&world).len(), before);
    drop(lock);
    assert!(prune.wait().unwrap().success());
    assert!(blobs(&world).is_empty());
}

#[test]
fn a_damaged_blob_is_found_put_aside_and_brought_again() {
    let world = world();
    bring(&world, "app:1", "one");
    kiln(&world, &["doctor"]).exits(0);
    let layer =
        blobs(&world).into_iter().find(|blob| fs::read(blob).unwrap().starts_with(&[0x1f, 0x8b])).unwrap();
    let length = usize::try_from(fs::metadata(&layer).unwrap().len()).unwrap();
    fs::write(&layer, vec![b'x'; length]).unwrap();
    let name = layer.file_name().unwrap().to_str().unwrap().to_owned();
    let found = kiln(&world, &["doctor", "--format", "json"]).exits(1).json();
    let checks = found["checks"].as_array().unwrap();
    let broken: Vec<&Value> = checks.iter().filter(|check| check["state"] == "broken").collect();
    assert_eq!(broken.len(), 1, "{found}");
    assert!(broken[0]["what"].as_str().unwrap().contains(&name[..12]), "{found}");
    assert!(broken[0]["cure"].as_str().unwrap().contains("--repair"), "{found}");
    assert!(layer.exists(), "to look changes nothing");
    let repaired = kiln(&world, &["doctor", "--repair"]).exits(0);
    assert!(repaired.stderr.contains("was not what its name says"), "{}", repaired.stderr);
    assert!(!layer.exists() && world.data("store/damaged").join(&name).exists());
    assert!(images(&world).is_empty(), "it was not whole");
    bring(&world, "app:1", "one");
    kiln(&world, &["doctor"]).exits(0);
    // Without the doctor, too: what is wrong of the right length is named, and brought again.
    fs::write(&layer, vec![b'y'; length]).unwrap();
    let folder = world.path("layout-one");
    let again = kiln(&world, &["copy", &format!("oci:{}:1", folder.display()), "app:1"]).exits(0);
    assert!(again.stderr.contains(&name), "{}", again.stderr);
    is_sound(&world.data("store"));
}

#[test]
fn an_index_that_cannot_be_read_is_made_again() {
    let world = world();
    bring(&world, "app:1", "one");
    let digest = images(&world)[0]["digest"].clone();
    let index = world.data("store/index.json");
    fs::write(&index, "{ \"schemaVersion\": 2, ").unwrap();
    kiln(&world, &["images"]).exits(3);
    kiln(&world, &["doctor"]).exits(1);
    assert_eq!(fs::read_to_string(&index).unwrap(), "{ \"schemaVersion\": 2, ");
    kiln(&world, &["doctor", "--repair"]).exits(0);
    let listed = kiln(&world, &["images", "--all", "--format", "json"]).exits(0).json();
    assert_eq!(listed["images"][0]["digest"], digest);
    assert_eq!(listed["images"][0]["name"], Value::Null);
    kiln(&world, &["doctor"]).exits(0);
}

#[test]
fn a_cache_that_cannot_be_written_costs_time_only() {
    let world = world();
    bring(&world, "app:1", "one");
    let file = world.path("no-folder");
    fs::write(&file, "a file stands there").unwrap();
    let scan = |args: &[&str]| {
        let mut kiln = world.kiln();
        Run::of(kiln.env("KILN_CACHE_DIR", &file).args(["scan", "app:1"]).args(args)).exits(0)
    };
    let expected = kiln(&world, &["scan", "app:1"]).exits(0);
    let run = scan(&[]);
    assert_eq!(run.stdout, expected.stdout);
    assert_eq!(
        run.stderr.matches("warning: nothing is kept for later commands").count(),
        1,
        "{}",
        run.stderr
    );
    assert!(!scan(&["-q"]).stderr.contains("warning"));
    // Where a part of the cache cannot be written, the rest is used.
    fs::remove_dir_all(world.path("cache/facts")).unwrap();
    fs::write(world.path("cache/facts"), "a file stands there").unwrap();
    let run = kiln(&world, &["scan", "app:1"]).exits(0);
    assert_eq!(run.stdout, expected.stdout);
    assert_eq!(run.stderr.matches("warning: what was made is made again").count(), 1, "{}", run.stderr);
}

#[test]
fn folders_may_be_named_from_where_one_stands() {
    if !needs(&["namespaces", "debian"]) {
        return;
    }
    let world = world();
    fs::create_dir(world.path("context")).unwrap();
    fs::write(world.path("context/Dockerfile"), "FROM base\nRUN echo here > /there\n").unwrap();
    let base = format!("base=oci:{}", project().join(crate::differential::DEBIAN).display());
    for (data, cache) in [("data-1", "cache-1"), ("./data-2", "../cache-2/../x/cache-2")] {
        fs::create_dir_all(world.path("x")).unwrap();
        let mut kiln = world.kiln();
        kiln.current_dir(world.path("x")).args(["build", "--data-dir", data, "--cache-dir", cache, "-q"]);
        Run::of(kiln.args(["--build-context", &base, "-f", "../context/Dockerfile", "../context"])).exits(0);
    }
    assert!(world.path("x/data-1/store/index.json").exists());
}
