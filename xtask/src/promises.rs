//! Whether the tests that pages name are there.

use crate::tree;

/// Words in backticks that are names of tests: at least two underscores, and nothing else but letters and digits.
fn tests_named(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split('`').skip(1).step_by(2);
    words.filter(|word| {
        let is_name =
            word.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_');
        is_name && word.matches('_').count() >= 2
    })
}

/// Words in backticks after `fuzz target` or `fuzz targets`, up to the end of the cell or sentence.
fn targets_named(text: &str) -> impl Iterator<Item = &str> {
    let lists = text.split("fuzz target").skip(1);
    lists.flat_map(|list| {
        list.split(['|', ';', '.', '\n']).next().unwrap_or_default().split('`').skip(1).step_by(2)
    })
}

#[test]
fn what_holds_a_promise_is_there() {
    let files = tree::files().unwrap();
    let code: String =
        files.iter().filter(|(path, _)| tree::is_rust(path)).map(|(_, text)| text.as_str()).collect();
    for name in ["SECURITY.md", "ARCHITECTURE.md"] {
        let page = &files[name];
        let is_target = |word: &str| files.contains_key(&format!("fuzz/fuzz_targets/{word}.rs"));
        let is_test = |word: &str| code.contains(&format!("fn {word}("));
        let tests = tests_named(page).filter(|word| !is_test(word) && !is_target(word));
        let targets = targets_named(page).filter(|word| !is_target(word));
        let missing: Vec<&str> = tests.chain(targets).collect();
        assert!(missing.is_empty(), "{name} names what is not there: {missing:?}");
    }
    let page = &files["SECURITY.md"];
    assert!(tests_named(page).count() > 50 && targets_named(page).count() > 5, "the page is read wrongly");
}
