use kiln_node::NodeArguments;
use kiln_plan::Plan;
use kiln_rootfs::Tree;

use super::lower::Graphed;
use super::split::{has_entry, near_misses};
use crate::engine::{Cache, Executor, Solver};
use crate::error::ErrorKind;
use crate::{Error, Key};

/// Checks that the image holds the files that node is to load.
pub fn check_entry<E: Executor, C: Cache>(
    plan: &Plan,
    graphed: &Graphed,
    solver: &Solver<'_, E, C>,
) -> Result<(), Error> {
    for file in files(plan) {
        check_file(&file, plan, graphed, solver)?;
    }
    Ok(())
}

fn check_file<E: Executor, C: Cache>(
    entry: &str,
    plan: &Plan,
    graphed: &Graphed,
    solver: &Solver<'_, E, C>,
) -> Result<(), Error> {
    // A module may be a link to a project of the workspace, which is in the other layer.
    let needs_modules = entry.trim_start_matches("../").starts_with("node_modules/");
    let steps = if needs_modules { vec![graphed.dependencies, graphed.app] } else { vec![graphed.app] };
    let mut key = Key::new("entry").field("folder", &plan.folder).field("entry", entry);
    for &step in &steps {
        key.add("step", solver.key(step)?.as_bytes());
    }
    let lacking = solver.fact(key.finish(), || {
        let mut shipped = Tree::new();
        for &step in &steps {
            solver.names(step)?.apply(&mut shipped).map_err(|source| ErrorKind::Tree { source })?;
        }
        let near = (!has_entry(&shipped, &plan.folder, entry)).then(|| near_misses(&shipped));
        serde_json::to_string(&near).map_err(|source| ErrorKind::Record { source }.into())
    })?;
    match serde_json::from_str(&lacking).map_err(|source| ErrorKind::Record { source })? {
        None => Ok(()),
        Some(near) => Err(ErrorKind::EntryMissing { entry: entry.to_owned(), near }.into()),
    }
}

/// The file that node runs, and those that it loads before.
fn files(plan: &Plan) -> Vec<String> {
    let read = NodeArguments::read(&plan.entry);
    let is_path = |module: &&str| module.starts_with("./") || module.starts_with("../");
    let preloads = read.preloads().filter(is_path).map(str::to_owned);
    preloads.chain([read.file.clone().unwrap_or_default()]).collect()
}
