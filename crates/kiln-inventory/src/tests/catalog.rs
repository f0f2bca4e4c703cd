//! The number of the catalog is what the code says that decides the facts of a layer.

use std::path::{Path, PathBuf};

use kiln_oci::Digest;

use crate::CATALOG;

/// Where the number stands.
const FILE: &str = "src/catalog.rs";
/// Files of this crate that begin where facts are there already, or that decide nothing. A new file counts.
const AFTER: [&str; 13] = [
    "catalog.rs",
    "combine.rs",
    "depends.rs",
    "error.rs",
    "folder.rs",
    "groups.rs",
    "image.rs",
    "layers.rs",
    "lib.rs",
    "owners.rs",
    "stack.rs",
    "tests",
    "tests.rs",
];
/// What decides from outside.
const OUTSIDE: [&str; 6] = [
    "../kiln-pkg/src/ecosystem.rs",
    "../kiln-pkg/src/indicator.rs",
    "../kiln-pkg/src/licence.rs",
    "../kiln-pkg/src/package.rs",
    "../kiln-rootfs/src/layer.rs",
    "../kiln-text/src/checksum.rs",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if AFTER.contains(&name.as_str()) {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), into);
        } else {
            into.push(entry.path());
        }
    }
}

/// The code without comments, blanks at the start of lines, and tests: those decide nothing.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = code.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn hash(files: &[(String, String)]) -> u64 {
    let parts: Vec<String> = files.iter().map(|(name, text)| format!("{name}\n{}\n", code(text))).collect();
    let digest = Digest::of(parts.concat().as_bytes());
    u64::from_be_bytes(digest.as_bytes()[..8].try_into().unwrap())
}

fn files() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    collect(&root().join("src"), &mut paths);
    let own = paths.iter().map(|path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
    let mut names: Vec<String> = own.chain(OUTSIDE.map(str::to_owned)).collect();
    names.sort();
    let read = |name: String| {
        let text = std::fs::read_to_string(root().join(&name)).unwrap();
        (name, text)
    };
    names.into_iter().map(read).collect()
}

#[test]
fn the_catalog_is_what_decides_the_facts_of_a_layer() {
    let now = hash(&files());
    if std::env::var_os("UPDATE").is_some() {
        let text = std::fs::read_to_string(root().join(FILE)).unwrap();
        let (before, _) = text.split_once("= 0x").unwrap();
        std::fs::write(root().join(FILE), format!("{before}= {};\n", shown(now))).unwrap();
        return;
    }
    let say =
        "what decides the facts of layers is not what it was; UPDATE=1 cargo test -p kiln-inventory catalog";
    assert!(CATALOG == now, "{say} writes {} to {FILE}", shown(now));
}

/// As rustfmt and clippy want it.
fn shown(number: u64) -> String {
    let digits = format!("{number:016x}");
    format!("0x{}_{}_{}_{}", &digits[..4], &digits[4..8], &digits[8..12], &digits[12..])
}

#[test]
fn a_change_of_code_changes_it_and_a_comment_does_not() {
    let file = |text: &str| [("a.rs".to_owned(), text.to_owned())];
    let before = hash(&file("fn a() {\n    1\n}\n"));
    assert_eq!(before, hash(&file("// why\nfn a() {\n  1\n}\n\n#[cfg(test)]\nmod tests {}\n")));
    assert_ne!(before, hash(&file("fn a() {\n    2\n}\n")));
    let all = files();
    for name in ["src/catalogers/apk.rs", "src/secrets/rules.rs", "src/indicator.rs", "src/kept.rs"] {
        assert!(all.iter().any(|(found, _)| found == name), "{name}");
    }
    assert!(!all.iter().any(|(found, _)| found.contains("tests")));
}
