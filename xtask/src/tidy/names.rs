use super::project::Tree;
use crate::tree::{code, is_rust};

/// Names that say nothing about what is inside.
const BANNED: [&str; 7] = ["common", "helper", "helpers", "manager", "misc", "util", "utils"];

/// No file, folder or module has a name that says nothing.
#[expect(clippy::unnecessary_wraps, reason = "every check has this signature")]
pub(super) fn check(tree: &Tree) -> anyhow::Result<Vec<String>> {
    let mut problems = Vec::new();
    for (path, text) in tree.files.iter().filter(|(path, _)| is_rust(path)) {
        for part in path.trim_end_matches(".rs").split('/').filter(|part| BANNED.contains(part)) {
            problems.push(format!("{path}: `{part}` says nothing about what is inside"));
        }
        for (number, line) in code(text) {
            let name = line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
            let name = name.strip_prefix("mod ").map(|name| name.trim_end_matches([';', '{', ' ']));
            if name.is_some_and(|name| BANNED.contains(&name)) {
                problems
                    .push(format!("{path}:{number}: the module's name says nothing about what is inside"));
            }
        }
    }
    Ok(problems)
}
