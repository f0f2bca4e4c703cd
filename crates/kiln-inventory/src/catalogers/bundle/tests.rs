use super::*;

fn is_bundle(text: &str) -> bool {
    readings(text) == [Reading::Bundle]
}

fn readings(text: &str) -> Vec<Reading> {
    let mut file = FileFacts::default();
    let candidate = Candidate { path: "app/dist/server.js", size: text.len() as u64, mode: 0o644 };
    read(&candidate, &mut text.as_bytes(), &mut file).unwrap();
    file.readings
}

#[test]
fn minified_modules_are_known_by_their_wrappers_and_long_lines() {
    let long = "x".repeat(3 << 10);
    // In the shape that `esbuild --bundle --minify` writes around a module of CommonJS.
    let wrapper = "var x=(e,t)=>()=>(t||e((t={exports:{}}).exports,t),t.exports);";
    assert!(is_bundle(&format!("{wrapper}{long}")) && is_bundle(&format!("{long}{wrapper}")));
    let edge = "y".repeat(CHUNK - 20);
    assert!(is_bundle(&format!("{edge}{wrapper}")));
    assert!(is_bundle(&format!("{wrapper}\n{}", format!("{}\n", "x".repeat(120)).repeat(30))));
    // Somebody wrote that; and what only has a long line may be anything.
    assert_eq!(readings(&format!("{wrapper}\n{}", "const a = 1;\n".repeat(1000))), [Reading::Script]);
    assert_eq!(readings(&"z".repeat(MINIFIED_LINE)), [Reading::Minified]);
    assert_eq!(readings(&"z".repeat(MINIFIED_LINE - 1)), [Reading::Script]);
    assert_eq!(readings(&format!("{}\n", "z".repeat(100)).repeat(1000)), [Reading::Script]);
}

#[test]
fn what_bundlers_write_is_known_wherever_it_stands() {
    let filler = "x".repeat(CHUNK - 9);
    for mark in MARKS {
        assert!(is_bundle(mark) && is_bundle(&format!("{filler}{mark}{filler}")), "{mark}");
    }
    assert!(
        !is_bundle("const express = require('express')")
            && !is_bundle("")
            && readings(&filler) == [Reading::Minified]
    );
}

#[test]
fn only_an_app_s_own_files_are_looked_at() {
    let wanted = |path: &str| wants(&Candidate { path, size: 64 << 10, mode: 0o644 });
    for path in [
        "app/dist/server.js",
        "server.mjs",
        "usr/src/app/main.cjs",
        "usr/app/dist/server.js",
        "usr/share/nginx/html/a.js",
        "var/lib/app/a.js",
        "opt/yarn-v-app/a.js",
        "app/.yarn/server.js",
        "srv/a.js",
    ] {
        assert!(wanted(path), "{path}");
    }
    for path in [
        "app/node_modules/a/dist/a.js",
        "usr/lib/python3/dist-packages/x/a.js",
        "app/.yarn/releases/yarn-4.cjs",
        "app/.pnp.cjs",
        "app/a.json",
    ] {
        assert!(!wanted(path), "{path}");
    }
    assert!(!wants(&Candidate { path: "app/a.js", size: 100, mode: 0o644 }));
}
