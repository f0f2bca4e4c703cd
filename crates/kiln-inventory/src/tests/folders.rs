//! Folders: what is installed wins over lock files, and a lock file that cannot be read is no clean result.

use kiln_pkg::{Ecosystem, Inventory};
use kiln_rootfs::Tree;

use super::names;
use crate::{Machine, scan_folder};

const APP: &str =
    r#"{"name":"app","version":"1.0.0","dependencies":{"a":"^1.0.0"},"devDependencies":{"d":"^1.0.0"}}"#;
const LOCK: &str = r#"{"lockfileVersion":3,"packages":{
    "":{"name":"app","dependencies":{"a":"^1.0.0"},"devDependencies":{"d":"^1.0.0"}},
    "node_modules/a":{"version":"1.2.0","dependencies":{"b":"1"},"optionalDependencies":{"w":"1"},"integrity":"sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="},
    "node_modules/b":{"version":"1.0.0"},
    "node_modules/d":{"version":"1.0.0","dev":true},
    "node_modules/w":{"version":"1.0.0","optional":true,"os":["win32"]}}}"#;

fn scan(files: &[(&str, &str)]) -> Inventory {
    let mut tree = Tree::new();
    for (path, text) in files {
        tree.insert_file(path, 0o644, text.as_bytes()).unwrap();
    }
    scan_folder(&tree, Machine { os: "linux", cpu: "x64", libc: "glibc" }).unwrap()
}

#[test]
fn a_lock_file_says_what_would_be_installed() {
    let inventory = scan(&[("package.json", APP), ("package-lock.json", LOCK)]);
    assert_eq!(names(&inventory, Ecosystem::Npm), ["a 1.2.0", "app 1.0.0", "b 1.0.0", "d 1.0.0"]);
    let by = |name: &str| inventory.packages.iter().find(|package| package.name == name).unwrap();
    assert!(by("d").dev && !by("b").dev);
    assert_eq!(by("b").direct, ["a@1.2.0"]);
    assert_eq!(by("app").depends_on, ["pkg:npm/a@1.2.0", "pkg:npm/d@1.0.0"]);
    assert_eq!(by("a").checksums[0].algorithm().as_str(), "sha1");
    assert_eq!(by("a").places[0].path, "package-lock.json");
    assert!(by("a").places[0].layer.is_none() && inventory.layers.is_empty());
    assert!(inventory.unread.is_empty() && inventory.notes.is_empty());
}

#[test]
fn what_is_installed_wins_and_is_said() {
    let inventory = scan(&[
        ("package.json", APP),
        ("package-lock.json", LOCK),
        ("node_modules/a/package.json", r#"{"name":"a","version":"1.1.0"}"#),
        ("node_modules/a/package-lock.json", LOCK),
        ("other/yarn.lock", "# yarn lockfile v1\n\nc@^1:\n  version \"1.0.0\"\n"),
        ("other/package.json", r#"{"name":"other","dependencies":{"c":"^1"}}"#),
        ("other/pnpm-lock.yaml", "lockfileVersion: '9.0'\nimporters:\n  .: {}\n"),
    ]);
    assert_eq!(names(&inventory, Ecosystem::Npm), ["a 1.1.0", "app 1.0.0", "other "]);
    assert_eq!(
        inventory.notes,
        [
            "package-lock.json was not read: node_modules says what is installed",
            "other/yarn.lock was not read: other/pnpm-lock.yaml is beside it"
        ]
    );
}

#[test]
fn a_lock_file_that_cannot_be_read_is_said() {
    for (name, text) in [
        ("package-lock.json", "{"),
        ("yarn.lock", "__metadata:\n  version: 8\n\n\"a@npm:1\":\n  version: 1\n"),
        ("pnpm-lock.yaml", "packages: 3"),
        ("bun.lock", "{\"packages\": {\"a\": []}}"),
        ("bun.lockb", "#!/usr/bin/env bun"),
    ] {
        let inventory = scan(&[("app/package.json", APP), (&format!("app/{name}"), text)]);
        assert_eq!(inventory.unread.len(), 1, "{name}");
        assert_eq!(
            (inventory.unread[0].path.as_str(), inventory.unread[0].reader.as_str()),
            (&*format!("app/{name}"), "lock-file")
        );
    }
}
