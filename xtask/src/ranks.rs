//! The crates of the workspace, their ranks, and the arrows between them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use serde::Deserialize;

/// `ranks.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ranks {
    /// Arrows allowed within a rank: `from -> to`.
    pub(crate) arrows: Vec<String>,
    /// Arrows that only examples take, which may point up: `from -> to`.
    pub(crate) examples: Vec<String>,
    /// Lowest first.
    pub(crate) rank: Vec<Rank>,
}

/// Crates that may not depend on each other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rank {
    pub(crate) name: String,
    pub(crate) crates: Vec<String>,
}

impl Ranks {
    pub(crate) fn read() -> anyhow::Result<Self> {
        toml::from_str(include_str!("../ranks.toml")).context("read xtask/ranks.toml")
    }

    /// The rank of a crate, from 0.
    pub(crate) fn of(&self, name: &str) -> Option<usize> {
        self.rank.iter().position(|rank| rank.crates.iter().any(|listed| listed == name))
    }
}

/// A crate of the workspace.
pub(crate) struct Member {
    /// Path of its manifest below the root.
    pub(crate) manifest: String,
    /// The crates of the workspace that it depends on, in tests too.
    pub(crate) needs: BTreeSet<String>,
    /// Those of them that it depends on by itself.
    pub(crate) own_needs: BTreeSet<String>,
    pub(crate) inherits_lints: bool,
}

/// Every crate of the workspace, by name.
pub(crate) fn members(files: &BTreeMap<String, String>) -> anyhow::Result<BTreeMap<String, Member>> {
    let mut members = BTreeMap::new();
    for (path, text) in files.iter().filter(|(path, _)| is_manifest(path)) {
        let manifest: toml::Table = toml::from_str(text).with_context(|| format!("read {path}"))?;
        let get = |table: &str, key: &str| manifest.get(table).and_then(|table| table.get(key)).cloned();
        let name = get("package", "name").and_then(|name| name.as_str().map(str::to_owned));
        let own_needs = needs(&manifest, &["dependencies", "build-dependencies"]);
        let needs = needs(&manifest, &["dependencies", "dev-dependencies", "build-dependencies"]);
        let inherits_lints = get("lints", "workspace") == Some(toml::Value::Boolean(true));
        let name = name.with_context(|| format!("{path} names no package"))?;
        members.insert(name, Member { manifest: path.clone(), needs, own_needs, inherits_lints });
    }
    Ok(members)
}

/// Crates of the workspace in these tables of a manifest.
fn needs(manifest: &toml::Table, tables: &[&str]) -> BTreeSet<String> {
    let tables = tables.iter().filter_map(|table| manifest.get(*table)?.as_table());
    let keys = tables.flat_map(toml::Table::keys);
    keys.filter(|key| *key == "kiln" || key.starts_with("kiln-")).cloned().collect()
}

fn is_manifest(path: &str) -> bool {
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["crates", _, file] | ["xtask", file] => *file == "Cargo.toml",
        _ => false,
    }
}
