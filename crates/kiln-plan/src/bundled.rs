use std::collections::BTreeSet;
use std::sync::LazyLock;

use kiln_node::{AppFacts, Lock, is_bundler};
use kiln_text::Globs;

use crate::Plan;

/// `data/bundling.tsv`, which says what the columns are.
struct Bundling {
    tools: Globs,
}

static BUNDLING: LazyLock<Bundling> = LazyLock::new(|| Bundling { tools: globs("tool") });

fn globs(kind: &str) -> Globs {
    let rows = include_str!("../data/bundling.tsv").lines().filter_map(|line| line.split_once('\t'));
    let named = rows.filter(|(row, _)| *row == kind).map(|(_, glob)| glob);
    Globs::or_literal(named).expect("a test reads the embedded table")
}

/// Packages that only development asks for and that the build may have put into its result, as places in [`Lock::packages`],
/// sorted: where the app is built with a bundler, all that it asks for but tools, and what those need. Nothing tells which of
/// them are in it, so this is more than there is, and never less.
pub fn bundled(facts: &AppFacts, plan: &Plan) -> Vec<usize> {
    let Some((_, lock)) = &facts.lock else { return Vec::new() };
    let asks_for_bundler = facts.projects().any(|(_, package)| {
        package.dependencies.keys().chain(package.dev_dependencies.keys()).any(|name| is_bundler(name))
    });
    if plan.scripts().is_empty() || !asks_for_bundler {
        return Vec::new();
    }
    let is_of_development =
        |at: &usize| lock.packages.get(*at).is_some_and(|package| package.is_dev != Some(false));
    let is_no_tool =
        |at: &usize| lock.packages.get(*at).is_some_and(|package| !BUNDLING.tools.is_match(&package.name));
    let asked: BTreeSet<usize> =
        lock.direct.values().flatten().filter(|direct| direct.dev).map(|direct| direct.package).collect();
    let start = asked.into_iter().filter(is_of_development).filter(is_no_tool);
    reached(lock, start.collect()).into_iter().filter(is_of_development).filter(is_no_tool).collect()
}

/// These packages, and what they need.
fn reached(lock: &Lock, mut open: Vec<usize>) -> BTreeSet<usize> {
    let mut seen: BTreeSet<usize> = open.iter().copied().collect();
    while let Some(at) = open.pop() {
        let needs = lock.packages.get(at).into_iter().flat_map(|package| &package.needs);
        for need in needs.filter(|need| !need.optional) {
            let is_tool =
                lock.packages.get(need.package).is_none_or(|package| BUNDLING.tools.is_match(&package.name));
            if !is_tool && seen.insert(need.package) {
                open.push(need.package);
            }
        }
    }
    seen
}
