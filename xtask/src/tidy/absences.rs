use std::collections::BTreeMap;

use super::project::Tree;
use crate::ranks::{Ranks, members};
use crate::tree::{code, has_word, is_rust, is_test};

/// What reaches for the world; ranks without I/O may not.
const WORLD: [&str; 6] = ["std::env", "std::fs", "std::net", "std::process", "SystemTime", "Instant"];
/// Ranks without I/O.
const PURE: [&str; 3] = ["words", "models", "engines"];
/// What prints.
const PRINTS: [&str; 5] = ["print!", "println!", "eprint!", "eprintln!", "dbg!"];

/// The only crate with `unsafe` code.
const UNSAFE: &str = "crates/kiln-sandbox/";
/// The only file that prints.
const PRINTER: &str = "crates/kiln/src/output.rs";

/// Ranks without I/O have none, one crate is unsafe, one file prints.
pub(super) fn check(tree: &Tree) -> anyhow::Result<Vec<String>> {
    let pure = pure_folders(&tree.files)?;
    let mut problems = Vec::new();
    let sources = tree.files.iter().filter(|(path, _)| path.starts_with("crates/") && is_rust(path));
    for (path, text) in sources {
        let is_pure = pure.iter().any(|folder| path.starts_with(folder.as_str()));
        // An example is a program of its own, which measures.
        let is_aside = is_test(path) || is_build_script(path) || path.contains("/examples/");
        let is_pure = is_pure && !is_aside && !tree.allowed.io.contains_key(path);
        let may_print = is_test(path) || is_build_script(path) || path == PRINTER;
        for (number, line) in code(text) {
            if is_pure && let Some(word) = reaches(line) {
                problems.push(format!("{path}:{number}: {word}; a crate of this rank does no I/O"));
            }
            if !may_print
                && PRINTS.iter().any(|word| has_word(line, word.trim_end_matches('!')) && line.contains(word))
            {
                problems.push(format!("{path}:{number}: only {PRINTER} prints"));
            }
            if !path.starts_with(UNSAFE) && is_unsafe(line) {
                problems.push(format!("{path}:{number}: only {UNSAFE} is unsafe"));
            }
        }
    }
    Ok(problems)
}

/// `crates/*/build.rs`, which runs before there is a crate, and talks to cargo.
fn is_build_script(path: &str) -> bool {
    matches!(path.split('/').collect::<Vec<_>>().as_slice(), ["crates", _, "build.rs"])
}

fn pure_folders(files: &BTreeMap<String, String>) -> anyhow::Result<Vec<String>> {
    let ranks = Ranks::read()?;
    let is_pure = |name: &str| {
        ranks
            .of(name)
            .and_then(|rank| ranks.rank.get(rank))
            .is_some_and(|rank| PURE.contains(&rank.name.as_str()))
    };
    Ok(members(files)?
        .into_iter()
        .filter(|(name, _)| is_pure(name))
        .map(|(_, member)| member.manifest.replace("Cargo.toml", ""))
        .collect())
}

/// What `line` takes from the world, if anything; constants of the target are no part of the world.
fn reaches(line: &str) -> Option<&'static str> {
    let line = line.replace("std::env::consts", "");
    let word = WORLD.iter().find(|word| has_word(&line, word)).copied();
    word.or_else(|| {
        let group = line.trim_start().strip_prefix("use std::{")?;
        ["env", "fs", "net", "process"].into_iter().find(|word| has_word(group, word))
    })
}

/// Text in quotes does not count.
fn is_unsafe(line: &str) -> bool {
    let code: String = line.split('"').step_by(2).collect();
    has_word(&code, "unsafe")
}

#[cfg(test)]
mod tests {
    use super::{is_unsafe, reaches};

    #[test]
    fn tells_the_world_from_words() {
        assert_eq!(reaches("use std::fs::File;"), Some("std::fs"));
        assert_eq!(reaches("use std::{fmt, fs};"), Some("fs"));
        assert_eq!(reaches("let now = SystemTime::now();"), Some("SystemTime"));
        assert_eq!(reaches("use std::fmt;"), None);
        assert_eq!(reaches("match std::env::consts::ARCH {"), None);
        assert!(is_unsafe("unsafe { call() }"));
        assert!(!is_unsafe("let unsafe_code = \"unsafe\";"));
    }
}
