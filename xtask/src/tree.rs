//! The files of the project, and what Rust code in them says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

/// The folder of the project.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// The paths below the root of every file that git tracks or would track.
pub(crate) fn paths() -> anyhow::Result<BTreeSet<String>> {
    let root = root();
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(&root)
        .output()
        .context("run git ls-files")?;
    ensure!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
    let listed = String::from_utf8(listed.stdout)?;
    // A file that was deleted and not committed yet is still listed.
    let there = listed.split_terminator('\0').filter(|path| root.join(path).is_file());
    Ok(there.map(str::to_owned).collect())
}

/// Those files by their paths. Files that are no text are empty here.
pub(crate) fn files() -> anyhow::Result<BTreeMap<String, String>> {
    let root = root();
    let mut files = BTreeMap::new();
    for path in paths()? {
        let bytes = fs::read(root.join(&path)).with_context(|| format!("read {path}"))?;
        files.insert(path, String::from_utf8(bytes).unwrap_or_default());
    }
    Ok(files)
}

/// Whether a file is Rust code.
pub(crate) fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

/// Whether a file holds tests only.
pub(crate) fn is_test(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    parts.iter().any(|part| matches!(*part, "tests" | "benches" | "fuzz"))
        || path.ends_with("/tests.rs")
        || path.ends_with("/testing.rs")
}

/// The lines before the tests at the end of a file, without comments; with their numbers, from 1.
pub(crate) fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let end = text.lines().position(|line| line == "#[cfg(test)]").filter(|&at| opens_module(text, at));
    text.lines()
        .take(end.unwrap_or(usize::MAX))
        .enumerate()
        .map(|(at, line)| (at + 1, line.split("//").next().unwrap_or_default()))
}

fn opens_module(text: &str, attribute: usize) -> bool {
    text.lines().nth(attribute + 1).is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
}

/// Whether `word` stands in `line` as a word of its own.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    let is_part = |char: char| char.is_alphanumeric() || char == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(is_part) && !line[at + word.len()..].starts_with(is_part))
}
