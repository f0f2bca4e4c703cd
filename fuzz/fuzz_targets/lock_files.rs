#![no_main]
//! Lock files of every manager and age in a folder with and without its manifest: read, related, followed.

use kiln_inventory::{Machine, scan_folder};
use kiln_rootfs::Tree;
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 5] =
    ["package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "npm-shrinkwrap.json"];

fuzz_target!(|bytes: &[u8]| {
    let Some((first, text)) = bytes.split_first() else { return };
    let mut tree = Tree::new();
    let name = NAMES[usize::from(*first) % NAMES.len()];
    tree.insert_file(&format!("app/{name}"), 0o644, text).expect("a path");
    if first & 0x80 != 0 {
        let app = br#"{"name": "a", "dependencies": {"b": "^1.0.0"}, "devDependencies": {"c": "1"}}"#;
        tree.insert_file("app/package.json", 0o644, &app[..]).expect("a path");
    }
    let inventory =
        scan_folder(&tree, Machine { os: "linux", cpu: "x64", libc: "glibc" }).expect("a folder can be read");
    // A broken file is said to be one, or it names packages, or it names none.
    assert!(inventory.unread.len() <= 2);
});
