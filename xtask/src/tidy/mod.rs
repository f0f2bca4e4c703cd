//! What must not be there, checked. Each check is one file: it looks at the tree and yields problems.

mod absences;
mod circles;
mod doors;
mod locks;
mod names;
mod owners;
mod places;
mod project;
mod ranks;
mod sizes;
mod tables;

use anyhow::{Context, ensure};

use crate::tree;
use project::{Allowed, Tree};

type Check = fn(&Tree) -> anyhow::Result<Vec<String>>;

static CHECKS: &[Check] = &[
    absences::check,
    circles::check,
    doors::check,
    locks::check,
    names::check,
    owners::check,
    places::check,
    ranks::check,
    sizes::check,
    tables::check,
];

/// Every problem of the project.
fn problems() -> anyhow::Result<Vec<String>> {
    let allowed: Allowed = toml::from_str(include_str!("../../tidy.toml")).context("read xtask/tidy.toml")?;
    let tree = Tree { files: tree::files()?, allowed };
    let mut problems = stale(&tree);
    for check in CHECKS {
        problems.extend(check(&tree)?);
    }
    Ok(problems)
}

/// Exemptions of files that are gone.
fn stale(tree: &Tree) -> Vec<String> {
    let Allowed { sizes, io, disk, places } = &tree.allowed;
    let paths = sizes.keys().chain(io.keys()).chain(disk.keys()).chain(places.keys());
    paths
        .filter(|path| !tree.files.contains_key(*path))
        .map(|path| format!("xtask/tidy.toml: there is no {path} any more"))
        .collect()
}

/// Lists long files and fails with every problem.
#[expect(clippy::print_stdout, reason = "a chore prints what it was asked for")]
pub(crate) fn run(_: &[String]) -> anyhow::Result<()> {
    for line in sizes::long(&tree::files()?) {
        println!("long: {line}");
    }
    let problems = problems()?;
    ensure!(problems.is_empty(), "the project is not tidy\n{}", problems.join("\n"));
    println!("tidy");
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_project_is_tidy() {
        let problems = super::problems().unwrap();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    }
}
