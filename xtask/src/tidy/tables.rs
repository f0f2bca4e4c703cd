use super::project::Tree;

/// In table-only files (`crates/*/src/*/mod.rs`) modules and entries are sorted, and every file of the folder is a module.
#[expect(clippy::unnecessary_wraps, reason = "every check has this signature")]
pub(super) fn check(tree: &Tree) -> anyhow::Result<Vec<String>> {
    let mut problems = Vec::new();
    for (path, text) in tree.files.iter().filter(|(path, _)| is_table(path)) {
        let modules: Vec<&str> = text.lines().filter_map(module).collect();
        let entries: Vec<&str> = text.lines().filter_map(entry).collect();
        // Tests of the table stand below it.
        let listed: Vec<&str> = modules.iter().copied().filter(|module| *module != "tests").collect();
        for (what, list) in [("modules", &listed), ("entries", &entries)] {
            if !list.is_sorted() {
                problems.push(format!("{path}: the {what} are not sorted"));
            }
        }
        let folder = path.trim_end_matches("mod.rs");
        let below = tree.files.keys().filter_map(|file| file.strip_prefix(folder));
        for file in below.filter(|file| !file.contains('/') && *file != "mod.rs") {
            if file.strip_suffix(".rs").is_some_and(|name| !modules.contains(&name)) {
                problems.push(format!("{folder}{file}: {path} does not list it"));
            }
        }
    }
    Ok(problems)
}

fn is_table(path: &str) -> bool {
    matches!(path.split('/').collect::<Vec<_>>().as_slice(), ["crates", _, "src", _, "mod.rs"])
}

fn module(line: &str) -> Option<&str> {
    let line = line.trim_start_matches("pub ").trim_start_matches("pub(crate) ");
    line.strip_prefix("mod ")?.strip_suffix(';')
}

/// `&name::TABLE_ENTRY,`, of a module of this folder.
fn entry(line: &str) -> Option<&str> {
    let entry = line.trim().strip_prefix('&')?.strip_suffix(',')?;
    let (module, item) = entry.split_once("::")?;
    let is_item = item.chars().all(|char| char.is_ascii_uppercase() || char == '_' || char.is_ascii_digit());
    (is_item && module != "crate").then_some(entry)
}
