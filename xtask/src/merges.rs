//! Which files git may merge by keeping the lines of both sides.

use crate::tree;

/// A module, an import, a comment, or an entry, a line each: what means the same wherever it stands.
fn is_of_a_table(line: &str) -> bool {
    let is_entry = line.trim_start().starts_with('&') && line.find(',') == line.len().checked_sub(1);
    let is_static = ["pub static ", "pub(crate) static "].iter().any(|start| line.starts_with(start));
    let is_table = is_static && line.ends_with(" = &[") || line == "];";
    let starts = ["//", "mod ", "use crate::"];
    line.is_empty() || is_entry || is_table || starts.iter().any(|start| line.starts_with(start))
}

#[test]
fn only_tables_are_merged_by_union() {
    let attributes = std::fs::read_to_string(tree::root().join(".gitattributes")).unwrap();
    let paths = attributes.lines().filter_map(|line| line.strip_suffix(" merge=union"));
    let paths: Vec<_> = paths.collect();
    assert!(!paths.is_empty());
    for path in paths {
        let text = std::fs::read_to_string(tree::root().join(path))
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        for line in text.lines() {
            assert!(is_of_a_table(line), "{path} is not only a table: {line}");
        }
    }
}
