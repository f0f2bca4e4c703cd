use super::project::Tree;
use crate::ranks::{Ranks, members};

/// Every arrow between crates points down, or is listed, for all of the crate or for its examples; every crate inherits the lints of the workspace.
pub(super) fn check(tree: &Tree) -> anyhow::Result<Vec<String>> {
    let ranks = Ranks::read()?;
    let members = members(&tree.files)?;
    let mut problems = Vec::new();
    let mut unused = [&ranks.arrows[..], &ranks.examples].concat();
    for (name, member) in &members {
        let manifest = &member.manifest;
        if !member.inherits_lints {
            problems.push(format!("{manifest}: it lacks [lints] workspace = true"));
        }
        let Some(rank) = ranks.of(name) else {
            problems.push(format!("{manifest}: {name} has no rank in xtask/ranks.toml"));
            continue;
        };
        for need in &member.needs {
            let arrow = format!("{name} -> {need}");
            unused.retain(|listed| *listed != arrow);
            let points_down = ranks.of(need).is_some_and(|lower| lower < rank);
            let of_examples = !member.own_needs.contains(need) && ranks.examples.contains(&arrow);
            if !points_down && !of_examples && !ranks.arrows.contains(&arrow) {
                problems.push(format!("{manifest}: {arrow} does not point to a lower rank"));
            }
        }
    }
    let listed = ranks.rank.iter().flat_map(|rank| &rank.crates);
    problems.extend(
        listed
            .filter(|name| !members.contains_key(*name))
            .map(|name| format!("xtask/ranks.toml: there is no crate {name}")),
    );
    problems.extend(unused.iter().map(|arrow| format!("xtask/ranks.toml: nothing uses {arrow}")));
    Ok(problems)
}
