//! One of each: what has an owner is not done a second time elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use serde::Deserialize;
use toml::Table;

use super::Tree;
use crate::tree::{code, has_word, is_rust, is_test};

/// `owners.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Owners {
    thing: Vec<Thing>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Thing {
    name: String,
    /// Words of code that only the owners have.
    words: Vec<String>,
    /// Pieces of code that only the owners have.
    #[serde(default)]
    texts: Vec<String>,
    /// Crates that only the owners depend on.
    #[serde(default)]
    crates: Vec<String>,
    /// Path, or how it starts, and why.
    owners: BTreeMap<String, String>,
}

/// Every use is its owner's, and every owner has a use.
pub(super) fn check(tree: &Tree) -> anyhow::Result<Vec<String>> {
    let Owners { thing } =
        toml::from_str(include_str!("../../owners.toml")).context("read xtask/owners.toml")?;
    let mut problems = Vec::new();
    for thing in &thing {
        thing.check(&tree.files, &mut problems)?;
    }
    Ok(problems)
}

impl Thing {
    fn check(&self, files: &BTreeMap<String, String>, problems: &mut Vec<String>) -> anyhow::Result<()> {
        let mut idle: BTreeSet<&String> = self.owners.keys().collect();
        for (path, text) in files.iter().filter(|(path, _)| path.starts_with("crates/")) {
            let Some((number, what)) = self.found(path, text)? else { continue };
            match self.owners.keys().find(|owner| is_below(path, owner)) {
                Some(owner) => {
                    idle.remove(owner);
                }
                None => problems.push(format!(
                    "{path}:{number}: `{what}` is about {}, which xtask/owners.toml gives to others",
                    self.name
                )),
            }
        }
        let stale =
            idle.iter().map(|owner| format!("xtask/owners.toml: {owner} does nothing about {}", self.name));
        problems.extend(stale);
        Ok(())
    }

    /// The first use in a file, with its line.
    fn found(&self, path: &str, text: &str) -> anyhow::Result<Option<(usize, &str)>> {
        if path.ends_with("/Cargo.toml") {
            let manifest: Table = text.parse().with_context(|| format!("read {path}"))?;
            let needs = manifest.get("dependencies").and_then(|needs| needs.as_table());
            let needed = self.crates.iter().find(|name| needs.is_some_and(|needs| needs.contains_key(*name)));
            return Ok(needed.map(|name| (1, name.as_str())));
        }
        if !is_rust(path) || is_test(path) || path.contains("/examples/") || path.contains("/src/bin/") {
            return Ok(None);
        }
        Ok(code(text).find_map(|(number, line)| Some((number, self.used(line)?))))
    }

    fn used(&self, line: &str) -> Option<&str> {
        let word = self.words.iter().find(|word| has_word(line, word));
        word.or_else(|| self.texts.iter().find(|text| line.contains(*text))).map(String::as_str)
    }
}

/// `owner` is a file, or a folder with a slash at its end.
fn is_below(path: &str, owner: &str) -> bool {
    path == owner || owner.ends_with('/') && path.starts_with(owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thing() -> Thing {
        toml::from_str(
            "name = \"globs\"\nwords = [\"globset\"]\ntexts = [\"'*' =>\"]\ncrates = [\"globset\"]\n[owners]\n\
             \"crates/a/\" = \"x\"\n\"crates/b/src/c.rs\" = \"y\"",
        )
        .unwrap()
    }

    fn problems(files: &[(&str, &str)]) -> Vec<String> {
        let files = files.iter().map(|&(path, text)| (path.to_owned(), text.to_owned())).collect();
        let mut problems = Vec::new();
        thing().check(&files, &mut problems).unwrap();
        problems
    }

    #[test]
    fn a_second_one_is_found() {
        let owners = [("crates/a/src/lib.rs", "use globset::Glob;"), ("crates/b/src/c.rs", "'*' => 1,")];
        assert!(problems(&owners).is_empty());
        for (path, text) in [
            ("crates/b/src/d.rs", "use globset::Glob;"),
            ("crates/c/src/lib.rs", "match c {\n    '*' => 1,\n}"),
            ("crates/c/Cargo.toml", "[dependencies]\nglobset.workspace = true"),
        ] {
            let found = problems(&[owners[0], owners[1], (path, text)]);
            assert!(found.len() == 1 && found[0].starts_with(path), "{found:?}");
        }
        // Neither comments nor tests nor other words.
        for (path, text) in [
            ("crates/c/src/lib.rs", "// globset\nlet globsets = 1;"),
            ("crates/c/tests/x.rs", "use globset::Glob;"),
            ("crates/c/Cargo.toml", "[dev-dependencies]\nglobset.workspace = true"),
        ] {
            assert!(problems(&[owners[0], owners[1], (path, text)]).is_empty(), "{path}");
        }
    }

    #[test]
    fn an_owner_without_a_use_is_told() {
        let found = problems(&[("crates/a/src/lib.rs", "use globset::Glob;")]);
        assert!(
            found.len() == 1 && found[0].contains("crates/b/src/c.rs does nothing about globs"),
            "{found:?}"
        );
    }
}
