#![no_main]
//! Any Dockerfile, beside a small app: a rewrite parses, and is rewritten no more.

use kiln_dockerfile::parse;
use kiln_node::AppFacts;
use kiln_node::{Lock, LockKind, PackageJson};
use kiln_rewrite::{Answer, Choice, Project, RewriteTarget, rewrite};
use kiln_rootfs::RootPath;
use libfuzzer_sys::fuzz_target;

const PACKAGE: &str =
    r#"{"name": "a", "scripts": {"start": "node s.js", "build": "tsc"}, "dependencies": {"b": "1.0.0"}}"#;
const LOCK: &str = r#"{"lockfileVersion": 3, "packages": {"node_modules/b": {"version": "1.0.0", "hasInstallScript": true}}}"#;

fn project(dockerfile: &str) -> Option<Project> {
    let files = ["Dockerfile", "package-lock.json", "package.json", "s.js", "start.sh"];
    let kind = LockKind::PackageLock;
    Some(Project {
        dockerfile: dockerfile.to_owned(),
        facts: AppFacts {
            package: PackageJson::read("package.json", PACKAGE.as_bytes()).ok()?,
            lock: Some((kind, Lock::read(kind, "package-lock.json", LOCK.as_bytes()).ok()?)),
            files: files.into_iter().filter_map(|path| RootPath::normalise(path).ok()).collect(),
            ..AppFacts::default()
        },
        scripts: [("start.sh".to_owned(), "#!/bin/sh\nexec \"$@\"\n".to_owned())].into(),
        ..Project::default()
    })
}

fuzz_target!(|input: (u8, &str)| {
    let (target, text) = input;
    let Some(mut project) = project(text) else { return };
    let choice = Choice {
        target: RewriteTarget::all().get(usize::from(target % 7)),
        today: "2026-11-21".into(),
        ..Choice::default()
    };
    let Answer::Rewritten(rewritten) = rewrite(&project, &choice) else { return };
    for (name, text) in rewritten.files {
        match name.as_str() {
            "Dockerfile" => project.dockerfile = text,
            ".dockerignore" => project.dockerignore = Some(text),
            _ => project.npmrc = Some(text),
        }
    }
    assert!(!parse(&project.dockerfile).has_errors(), "{}", project.dockerfile);
    assert_eq!(rewrite(&project, &choice), Answer::Fine, "{}", project.dockerfile);
});
