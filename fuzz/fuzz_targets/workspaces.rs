#![no_main]
//! Globs of workspaces, from `pnpm-workspace.yaml` and from lists in package.json, and folders that they are asked about.

use kiln_node::{WorkspaceGlobs, pnpm_workspace_globs};
use libfuzzer_sys::fuzz_target;

fn ask(globs: &[String], folders: &[String]) {
    let Ok(globs) = WorkspaceGlobs::new(globs) else { return };
    for folder in folders {
        globs.holds(folder);
    }
}

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (first, second) = text.split_once("\n\n").unwrap_or((&text, "a/b/c"));
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let folders: Vec<String> = lines(second).into_iter().chain(["a/b/c/d/e/f/g/h".to_owned()]).collect();
    ask(&lines(first), &folders);
    if let Ok(globs) = pnpm_workspace_globs("pnpm-workspace.yaml", bytes) {
        ask(&globs, &folders);
    }
});
