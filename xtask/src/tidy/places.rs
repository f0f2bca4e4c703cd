use anyhow::Context;
use serde::Deserialize;

use super::project::Tree;

/// `places.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Places {
    hosts: Vec<Vec<String>>,
    folders: Vec<Vec<String>>,
}

/// No file names a registry, an archive or a folder of somebody's machine.
pub(super) fn check(tree: &Tree) -> anyhow::Result<Vec<String>> {
    let places: Places =
        toml::from_str(include_str!("../../places.toml")).context("read xtask/places.toml")?;
    let places: Vec<String> =
        places.hosts.iter().chain(&places.folders).map(|parts| parts.concat()).collect();
    let mut problems = Vec::new();
    for (path, text) in tree.files.iter().filter(|(path, _)| !tree.allowed.places.contains_key(*path)) {
        let named = |line: &str| places.iter().find(|place| line.contains(place.as_str()));
        let mut lines = text.lines().enumerate().filter_map(|(at, line)| Some((at + 1, named(line)?)));
        if let Some((number, place)) = lines.next() {
            let more = match lines.count() {
                0 => String::new(),
                more => format!(", and {more} lines more do"),
            };
            problems.push(format!("{path}:{number}: it names {place}{more}"));
        }
        problems.extend(resolved(path, text));
    }
    Ok(problems)
}

/// A lock file of an example says which package, not where it was once downloaded from.
fn resolved(path: &str, text: &str) -> Option<String> {
    let is_lock = ["package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock"]
        .iter()
        .any(|name| path.ends_with(name));
    let at = text.lines().position(|line| {
        let line = line.trim_start();
        let value = line.strip_prefix("\"resolved\": ").or_else(|| line.strip_prefix("resolved "));
        value.is_some_and(|value| value.contains("://") && !value.contains("example.invalid"))
            || line.starts_with("tarball: http")
            || line.contains(", tarball: http")
    })?;
    is_lock.then(|| format!("{path}:{}: it says where a package was downloaded from", at + 1))
}
