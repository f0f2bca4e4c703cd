use anyhow::bail;

use super::change::Files;

/// Where the pages of rules and checks are; their files are called by the ids.
const PAGES: [&str; 2] = ["crates/kiln-lint/tests/rules/", "crates/kiln-policy/tests/checks/"];

/// Fails where a rule or a check has this id: what is said of one would be taken for the other. Names the next that nobody has.
pub(super) fn free(tree: &Files, id: &str) -> anyhow::Result<()> {
    let used = || {
        let pages = tree.keys().filter_map(|path| PAGES.iter().find_map(|folder| path.strip_prefix(folder)));
        pages.filter_map(|file| file.strip_suffix(".md"))
    };
    if !used().any(|other| other == id) {
        return Ok(());
    }
    let area = &id[..2];
    let numbers = used().filter_map(|id| id.strip_prefix(area)?.parse::<u32>().ok());
    bail!("{id} is there already; the next free one is {area}{:03}", numbers.max().unwrap_or_default() + 1)
}
