#![no_main]
//! The `.npmrc` of an app, and what is made of it: where packages come from, and which login goes where.

use std::sync::LazyLock;

use kiln_fetch::endpoints::{Machine, Npm};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a temporary folder"));

fuzz_target!(|bytes: &[u8]| {
    let project = FOLDER.path().to_owned();
    std::fs::write(project.join(".npmrc"), bytes).expect("a file of a temporary folder");
    let vars = [("TOKEN".to_owned(), "a secret of the environment".to_owned())].into();
    let npm = Npm::collect(&Machine { root: project.clone(), home: None, project, vars });
    let shown = format!("{:?}", npm.credentials);
    assert!(!shown.contains("a secret"), "{shown}");
    drop(npm.credentials.to_npmrc());
    drop(npm.registry());
});
