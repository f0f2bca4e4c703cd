//! Every lesson of `lessons.md` names a test that is there.

use std::fs;
use std::path::Path;

#[test]
fn every_lesson_has_a_test() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let rows = include_str!("lessons.md").lines().filter(|line| line.starts_with("| ")).skip(1);
    let mut count = 0;
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [_, _, test] = cells[..] else { panic!("{row}") };
        let (file, name) = test.split_once(' ').unwrap();
        let text = fs::read_to_string(workspace.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let (before, _) =
            text.split_once(&format!("fn {name}(")).unwrap_or_else(|| panic!("{file} has no {name}"));
        // Laws have an attribute of their own, inside of a macro that is one.
        let attribute = before.rfind("#[test]").unwrap_or_else(|| panic!("{name} is no test"));
        assert!(before.len() - attribute < 400, "{name} is no test");
        count += 1;
    }
    assert!(count > 20, "{count}");
}
