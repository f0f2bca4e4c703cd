#![no_main]
//! The files of a Node.js project: package.json, the lock files of npm, pnpm and yarn.

use kiln_node::{Lock, LockKind, PackageJson, ScriptAllowances, commands};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, text)) = bytes.split_first() else { return };
    let package = PackageJson::read("package.json", text);
    if let Ok(package) = &package {
        drop(package.manager_pin());
        package.workspace_globs();
    }
    if let Ok(text) = std::str::from_utf8(text) {
        drop(ScriptAllowances::read(&PackageJson::default(), Some(text)));
    }
    let kind = LockKind::ALL[usize::from(*first) % LockKind::ALL.len()];
    if let Ok(lock) = Lock::read(kind, kind.file_name(), text) {
        lock.without_integrity("x64");
        let app = br#"{"name": "a", "dependencies": {"b": "^1.0.0"}}"#;
        lock.out_of_step(kind, "", &PackageJson::read("package.json", app).expect("an app"));
    }
    if let Ok(text) = std::str::from_utf8(text) {
        drop(commands(text));
    }
});
