//! The lock file of the fuzz crate: it is no member of the workspace, so nothing that is built here keeps it up, and CI wants it as it is.

use std::collections::BTreeSet;

use anyhow::Context;
use toml::Table;

use super::project::Tree;

const LOCK: &str = "fuzz/Cargo.lock";

/// Crates of this project that depend on something else by now than the lock file says.
pub(super) fn check(tree: &Tree) -> anyhow::Result<Vec<String>> {
    let lock: Table = tree.files.get(LOCK).context("fuzz/Cargo.lock is missing")?.parse()?;
    let packages = lock.get("package").and_then(|packages| packages.as_array()).into_iter().flatten();
    let mut problems = Vec::new();
    for package in packages {
        let name = package.get("name").and_then(|name| name.as_str()).unwrap_or_default();
        let Some(manifest) = tree.files.get(&format!("crates/{name}/Cargo.toml")) else { continue };
        let manifest: Table = manifest.parse().with_context(|| format!("read the manifest of {name}"))?;
        if needed(&manifest) != locked(package) {
            problems.push(format!("{LOCK}: {name} has other dependencies by now; run `cargo update --workspace --manifest-path fuzz/Cargo.toml`"));
        }
    }
    Ok(problems)
}

/// What a manifest asks for besides tests, on any platform.
fn needed(manifest: &Table) -> BTreeSet<&str> {
    let targets = manifest.get("target").and_then(|targets| targets.as_table()).into_iter().flatten();
    let tables = targets.filter_map(|(_, target)| target.as_table()).chain([manifest]);
    let kinds = ["dependencies", "build-dependencies"];
    let lists = tables.flat_map(|table| kinds.into_iter().filter_map(|kind| table.get(kind)?.as_table()));
    lists.flat_map(|list| list.keys().map(String::as_str)).collect()
}

/// `name`, or `name version` where there are several.
fn locked(package: &toml::Value) -> BTreeSet<&str> {
    let names = package.get("dependencies").and_then(|names| names.as_array()).into_iter().flatten();
    names.filter_map(|name| name.as_str()?.split(' ').next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_compared() {
        let manifest: Table = "[dependencies]\na = \"1\"\nb.workspace = true\n[target.'cfg(unix)'.dependencies]\nc = \"1\"\n[dev-dependencies]\nd = \"1\"".parse().unwrap();
        let package: toml::Value =
            "name = \"x\"\ndependencies = [\"a\", \"b 1.0.0\", \"c\"]".parse::<Table>().unwrap().into();
        assert_eq!(needed(&manifest), locked(&package));
    }
}
