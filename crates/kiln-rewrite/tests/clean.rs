//! What a rewrite writes is judged by the rules.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use kiln_dockerfile::Ignore;
use kiln_lint::{Context, Level, LintSettings, lint};
use kiln_node::{Lock, LockKind, PackageJson};

/// A line of Node that is over stays until somebody passes `--unsafe`.
const NOT_OURS: [&str; 1] = ["DF005"];

fn projects() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../kiln/tests/dockerfiles")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The project as the rules see it, with the new `.dockerignore`.
fn context(project: &Path, expected: &Path) -> Context {
    let mut files = BTreeSet::new();
    collect(project, project, &mut files);
    let text = |name: &str| fs::read_to_string(project.join(name)).ok();
    let kinds: Vec<LockKind> =
        LockKind::ALL.into_iter().filter(|kind| files.contains(kind.file_name())).collect();
    let lock = kinds.first().map(|kind| {
        let bytes = fs::read(project.join(kind.file_name())).unwrap();
        Lock::read(*kind, kind.file_name(), &bytes).unwrap()
    });
    let ignore = fs::read_to_string(expected.join("dockerignore")).ok().or_else(|| text(".dockerignore"));
    let workspaces =
        files.iter().filter_map(|file| file.strip_suffix("/package.json").map(str::to_owned)).collect();
    if expected.join("npmrc").exists() {
        files.insert(".npmrc".to_owned());
    }
    let is_source = |file: &&String| [".js", ".mjs", ".ts"].iter().any(|end| file.ends_with(end));
    Context {
        package: Some(PackageJson::read("package.json", text("package.json").unwrap().as_bytes()).unwrap()),
        lock_kinds: kinds,
        lock,
        ignore: ignore.map(|text| Ignore::parse(&text)),
        sources: files.iter().filter(is_source).map(|file| (file.clone(), text(file).unwrap())).collect(),
        files,
        is_complete: true,
        workspaces,
        allows_scripts: false,
    }
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeSet<String>) {
    for path in entries(folder) {
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && name != "expected" {
            collect(root, &path, files);
        } else if !path.is_dir() {
            files.insert(name);
        }
    }
}

#[test]
fn no_rule_finds_an_error_or_a_warning() {
    let mut problems = Vec::new();
    for project in entries(&projects()) {
        for expected in entries(&project.join("expected")) {
            let text = fs::read_to_string(expected.join("Dockerfile")).unwrap();
            let linted = lint(&text, Some(&context(&project, &expected)), &LintSettings::new("2026-11-21"));
            for finding in linted.findings {
                if finding.level >= Level::Warning && !NOT_OURS.contains(&finding.id) {
                    let name = expected.strip_prefix(projects()).unwrap().display().to_string();
                    let line = linted.file.lines.line(finding.span.start);
                    problems.push(format!("{name}:{line}: {} {}", finding.id, finding.message));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn the_same_rules_find_plenty_before() {
    for project in entries(&projects()) {
        let text = fs::read_to_string(project.join("Dockerfile")).unwrap();
        let context = context(&project, Path::new("/nowhere"));
        let linted = lint(&text, Some(&context), &LintSettings::new("2026-11-21"));
        let found = linted.findings.iter().filter(|finding| finding.level >= Level::Warning).count();
        assert!(found > 0, "{}", project.display());
    }
}
