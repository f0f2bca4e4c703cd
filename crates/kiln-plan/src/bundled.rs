use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use kiln_node::{AppFacts, Lock, LockedPackage, is_bundler};
use kiln_text::Globs;

use crate::Plan;

/// Packages that work on code, and of which nothing is in a result: `data/tools.txt`.
static TOOLS: LazyLock<Globs> = LazyLock::new(|| {
    let lines = include_str!("../data/tools.txt").lines();
    Globs::or_literal(lines.filter(|line| !line.starts_with('#'))).expect("a test reads the embedded table")
});

/// Packages that only development asks for and that the build may have put into its result, as places in [`Lock::packages`],
/// sorted: all that the app asks for or names in its sources but tools, and what those need. Nothing tells which of them are in it, so this is more than
/// there is, and never less. `None` where nothing is built, or the app asks for no bundler.
pub fn bundled(facts: &AppFacts, plan: &Plan) -> Option<Vec<usize>> {
    let (_, lock) = facts.lock.as_ref()?;
    let asks_for_bundler =
        facts.projects().any(|(_, package)| package.asked().any(|(name, _)| is_bundler(name)));
    if plan.scripts().is_empty() || !asks_for_bundler {
        return None;
    }
    let left_out = lock.left_out("linux", "x64", "glibc");
    let may_be = |at: &usize| {
        let is_installed = left_out.get(*at) != Some(&true);
        let of = |package: &LockedPackage| package.is_dev != Some(false) && !TOOLS.is_match(&package.name);
        is_installed && lock.packages.get(*at).is_some_and(of)
    };
    let asked: BTreeSet<usize> =
        lock.direct.values().flatten().filter(|direct| direct.dev).map(|direct| direct.package).collect();
    let named = named(facts, lock);
    let asked = asked.into_iter().chain(named);
    Some(reached(lock, asked.filter(may_be).collect()).into_iter().filter(may_be).collect())
}

/// Packages that a source of the app names between quotes: one that only a tool asks for can be imported, too, where it is installed at the top.
fn named(facts: &AppFacts, lock: &Lock) -> Vec<usize> {
    let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, package) in lock.packages.iter().enumerate() {
        by_name.entry(&package.name).or_default().push(at);
    }
    let texts = facts.sources.values().flat_map(|text| text.split(['"', '\'', '`']));
    let names: BTreeSet<&str> = texts.filter_map(package).collect();
    names.into_iter().filter_map(|name| by_name.get(name)).flatten().copied().collect()
}

/// The package that an import of `specifier` is of: `name/file`, `@scope/name/file`.
fn package(specifier: &str) -> Option<&str> {
    let parts = if specifier.starts_with('@') { 2 } else { 1 };
    let end = specifier.match_indices('/').nth(parts - 1).map_or(specifier.len(), |(at, _)| at);
    let name = specifier.get(..end)?;
    (!name.is_empty() && name.len() <= 214 && !name.contains(char::is_whitespace)).then_some(name)
}

/// These packages, and what they need.
fn reached(lock: &Lock, mut open: Vec<usize>) -> BTreeSet<usize> {
    let mut seen: BTreeSet<usize> = open.iter().copied().collect();
    while let Some(at) = open.pop() {
        for need in lock.packages.get(at).into_iter().flat_map(|package| &package.needs) {
            let is_tool = lock.packages.get(need.package).is_none_or(|package| TOOLS.is_match(&package.name));
            if !is_tool && seen.insert(need.package) {
                open.push(need.package);
            }
        }
    }
    seen
}
