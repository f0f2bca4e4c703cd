use std::collections::BTreeSet;
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
/// sorted: all that the app asks for but tools, and what those need. Nothing tells which of them are in it, so this is more than
/// there is, and never less. `None` where nothing is built, or the app asks for no bundler.
pub fn bundled(facts: &AppFacts, plan: &Plan) -> Option<Vec<usize>> {
    let (_, lock) = facts.lock.as_ref()?;
    let asks_for_bundler = facts.projects().any(|(_, package)| {
        package.dependencies.keys().chain(package.dev_dependencies.keys()).any(|name| is_bundler(name))
    });
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
    Some(reached(lock, asked.into_iter().filter(may_be).collect()).into_iter().filter(may_be).collect())
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
