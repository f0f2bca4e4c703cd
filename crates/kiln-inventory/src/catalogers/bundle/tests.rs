use super::*;

fn is_bundle(text: &str) -> bool {
    let mut file = FileFacts::default();
    let candidate = Candidate { path: "app/dist/server.js", size: text.len() as u64, mode: 0o644 };
    read(&candidate, &mut text.as_bytes(), &mut file).unwrap();
    file.readings == [Reading::Bundle]
}

#[test]
fn what_bundlers_write_is_known_wherever_it_stands() {
    let filler = "x".repeat(CHUNK - 9);
    for mark in MARKS {
        assert!(is_bundle(mark) && is_bundle(&format!("{filler}{mark}{filler}")), "{mark}");
    }
    assert!(!is_bundle("const express = require('express')") && !is_bundle("") && !is_bundle(&filler));
}

#[test]
fn only_an_app_s_own_files_are_looked_at() {
    let wanted = |path: &str| wants(&Candidate { path, size: 64 << 10, mode: 0o644 });
    for path in ["app/dist/server.js", "server.mjs", "usr/src/app/main.cjs", "srv/a.js"] {
        assert!(wanted(path), "{path}");
    }
    for path in [
        "app/node_modules/a/dist/a.js",
        "usr/lib/node/x.js",
        "opt/yarn-v1.22.22/lib/cli.js",
        "app/.yarn/releases/yarn-4.cjs",
        "app/.pnp.cjs",
        "app/a.json",
    ] {
        assert!(!wanted(path), "{path}");
    }
    assert!(!wants(&Candidate { path: "app/a.js", size: 100, mode: 0o644 }));
}
