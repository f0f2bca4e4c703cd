#![no_main]
//! A .dockerignore and a path: asking and walking agree, and no pattern is slow.

use kiln_dockerfile::{Ignore, Parents};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (path, text) = text.split_once('\n').unwrap_or(("a/b/c", text));
    let ignore = Ignore::parse(text);
    let mut parents = Parents::default();
    let mut is_out = false;
    for end in path.match_indices('/').map(|(at, _)| at).chain([path.len()]).filter(|end| *end > 0).take(64) {
        (is_out, parents) = ignore.enter(&path[..end], &parents);
        ignore.may_descend(&path[..end]);
    }
    if path.matches('/').count() < 64 {
        assert_eq!(is_out, ignore.is_ignored(path));
    }
});
