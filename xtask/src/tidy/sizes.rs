use std::collections::BTreeMap;

use super::project::Tree;
use crate::tree::{is_rust, is_test};

/// From here on a file fails.
const MAX: usize = 800;
/// From here on a file is talked about.
const LONG: usize = 400;

/// No file of code is longer than [`MAX`] lines, but for those with a reason.
#[expect(clippy::unnecessary_wraps, reason = "every check has this signature")]
pub(super) fn check(tree: &Tree) -> anyhow::Result<Vec<String>> {
    let mut problems = Vec::new();
    for (path, lines) in sizes(&tree.files) {
        let max = tree.allowed.sizes.get(path).map_or(MAX, |size| size.lines);
        if lines > max {
            problems.push(format!("{path}: {lines} lines, at most {max}"));
        }
    }
    Ok(problems)
}

/// The files worth talking about.
pub(super) fn long(files: &BTreeMap<String, String>) -> Vec<String> {
    sizes(files)
        .filter(|(_, lines)| *lines > LONG)
        .map(|(path, lines)| format!("{path}: {lines} lines"))
        .collect()
}

fn sizes(files: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, usize)> {
    files
        .iter()
        .filter(|(path, _)| is_rust(path) && !is_test(path))
        .map(|(path, text)| (path.as_str(), text.lines().count()))
}
