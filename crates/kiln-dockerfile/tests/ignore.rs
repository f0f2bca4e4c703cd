//! .dockerignore as BuildKit reads it.

use kiln_dockerfile::{Ignore, Parents};

#[track_caller]
fn check(text: &str, out: &[&str], kept: &[&str]) {
    let ignore = Ignore::parse(text);
    assert!(ignore.problems.is_empty(), "{:?}", ignore.problems);
    for path in out {
        assert!(ignore.is_ignored(path), "{path} is not left out by {text:?}");
    }
    for path in kept {
        assert!(!ignore.is_ignored(path), "{path} is left out by {text:?}");
    }
}

#[test]
fn a_name_is_a_path_from_the_root() {
    check(
        "node_modules",
        &["node_modules", "node_modules/a/b"],
        &["packages/a/node_modules", "node_modules2"],
    );
    check("/dist/", &["dist", "dist/x"], &["a/dist"]);
    check("./a//b", &["a/b"], &["a"]);
    check("a/../b", &["b"], &["a"]);
}

#[test]
fn stars() {
    check("**/node_modules", &["node_modules", "a/b/node_modules/c"], &["my_node_modules"]);
    check("*.md", &["a.md"], &["b/a.md"]);
    check("**/*.md", &["a.md", "b/c/a.md"], &["a.mdx"]);
    check("a/**", &["a/b", "a/b/c"], &["a", "ab"]);
    check("**", &["a", "a/b"], &[]);
    check("a/**/z", &["a/z", "a/b/c/z"], &["a/bz", "z"]);
    check("*/temp?", &["a/tempx"], &["a/temp", "a/b/tempx", "tempx"]);
    check(".env*", &[".env", ".env.local"], &["a/.env"]);
    check("**foo", &["xfoo", "a/foo"], &["foox"]);
    check("a.b", &["a.b"], &["axb"]);
    check("[a-c].txt", &["b.txt"], &["d.txt"]);
    check("[^a-c].txt", &["d.txt"], &["b.txt"]);
    check("\\!important", &["!important"], &["important"]);
}

#[test]
fn the_last_match_wins() {
    check("*\n!package.json", &["a", "src/a"], &["package.json"]);
    check("*.md\n!README.md", &["a.md"], &["README.md"]);
    check("!README.md\n*.md", &["README.md"], &[]);
    check("*\n!src", &["a"], &["src", "src/deep/a"]);
    check("*\n!src\nsrc/*.test.js", &["src/a.test.js"], &["src/a.js"]);
    check("dist\n!dist/keep.js", &["dist/a.js"], &["dist/keep.js"]);
}

#[test]
fn a_pattern_that_was_passed_over_for_the_folder_does_not_come_back() {
    check("foo\n!foo/bar\nfoo", &["foo", "foo/x"], &["foo/bar"]);
}

#[test]
fn comments_and_blanks() {
    check("\u{feff}# a\n\n  b  \r\n", &["b"], &["# a", "a"]);
    check(" #x", &["#x"], &[]);
    check("! a\n", &[], &["a"]);
}

#[test]
fn bad_patterns_are_problems() {
    for pattern in ["[]a]", "[-]", "a[", "\\", "!", "! "] {
        let ignore = Ignore::parse(&format!("ok\n{pattern}\n"));
        assert_eq!(ignore.problems.len(), 1, "{pattern}");
        assert!(ignore.problems[0].span.start >= 3, "{pattern}");
        assert!(ignore.is_ignored("ok"));
    }
}

#[test]
fn walkers_look_only_where_it_may_help() {
    let ignore = Ignore::parse("*\n!src/keep\n!docs/**/*.md\n");
    assert!(ignore.may_descend("src"));
    assert!(ignore.may_descend("docs/a"));
    assert!(!ignore.may_descend("src/other"));
    assert!(!ignore.may_descend("node_modules"));
    assert!(Ignore::parse("*\n!**/x").may_descend("a/b"));
    assert!(!Ignore::parse("*").may_descend("a"));
}

#[test]
fn the_root_is_never_left_out() {
    let ignore = Ignore::parse("*\n.\n**");
    assert!(!ignore.enter("", &Parents::default()).0);
    assert!(!ignore.enter(".", &Parents::default()).0);
}

#[test]
fn patterns_without_a_file() {
    let ignore = Ignore::from_patterns(["*.md", "!a.md"]);
    assert!(ignore.is_ignored("b.md") && !ignore.is_ignored("a.md"));
    assert!(Ignore::from_patterns(["["]).problems.first().unwrap().is_error());
}
