//! The blocks of a page, and the app that they stand in.
use std::collections::{BTreeMap, BTreeSet};

use kiln_dockerfile::Ignore;
use kiln_lint::{Context, LintSettings};
use kiln_node::{Lock, LockKind, PackageJson};

/// A block of a page.
#[derive(Default)]
pub(crate) struct Block {
    /// `flagged`, `fixed`, `unsafe` or `clean`.
    pub(crate) kind: String,
    /// The lines that a flagged block marks.
    pub(crate) lines: BTreeSet<u32>,
    pub(crate) text: String,
    /// The files around it.
    pub(crate) files: BTreeMap<String, String>,
}

/// The settings of every test: a day, and nothing else.
pub(crate) fn settings() -> LintSettings {
    LintSettings::new("2026-11-21")
}

/// The blocks of a page. Files count for the next flagged or clean block.
pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut files = BTreeMap::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let inner: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let body = inner.join(
            "
",
        ) + "
";
        let words: Vec<&str> = info.split_whitespace().collect();
        match words.as_slice() {
            ["text", file] => {
                files.insert(file.strip_prefix("file=").unwrap().to_owned(), body);
            }
            ["dockerfile", kind, rest @ ..] => {
                let lines = rest
                    .first()
                    .map_or("", |list| list)
                    .split(',')
                    .filter_map(|line| line.parse().ok())
                    .collect();
                let files = if matches!(*kind, "fixed" | "unsafe") {
                    BTreeMap::new()
                } else {
                    std::mem::take(&mut files)
                };
                blocks.push(Block { kind: (*kind).to_owned(), lines, text: body, files });
            }
            _ => {}
        }
    }
    blocks
}

const PACKAGE: &str = r#"{
  "name": "app",
  "scripts": { "start": "node dist/server.js", "build": "tsc" },
  "dependencies": { "express": "^5.0.0" },
  "devDependencies": { "typescript": "^5.9.0" }
}"#;

const IGNORE: &str =
    "**/node_modules\n**/.env*\n**/.git\n**/.npmrc\n**/*.pem\n**/*.key\n**/id_*\n**/.aws\n**/.ssh\n";

const SERVER: &str = "process.on('SIGTERM', () => server.close());\n";

/// An app that passes everything, with the files of the block in place of its own; a file that holds `(none)` is
/// taken away. `None` for a block without files.
pub(crate) fn context(block: &Block) -> Option<Context> {
    if block.files.is_empty() {
        return None;
    }
    let mut files: BTreeMap<String, String> = [
        (".dockerignore", IGNORE),
        ("package.json", PACKAGE),
        ("package-lock.json", "express 5.1.0\ntypescript 5.9.3 dev\n"),
        ("src/server.ts", SERVER),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), text.to_owned()))
    .collect();
    for (path, text) in &block.files {
        if text.trim() == "(none)" {
            files.remove(path);
        } else {
            files.insert(path.clone(), text.clone());
        }
    }
    let package =
        files.get("package.json").map(|text| PackageJson::read("package.json", text.as_bytes()).unwrap());
    let lock_kinds: Vec<LockKind> =
        LockKind::ALL.into_iter().filter(|kind| files.contains_key(kind.file_name())).collect();
    let lock = lock_kinds.first().map(|kind| lock(&files[kind.file_name()]));
    let workspaces = files
        .keys()
        .filter(|path| path.ends_with("/package.json"))
        .map(|path| path.trim_end_matches("/package.json").to_owned());
    Some(Context {
        package,
        lock,
        lock_kinds,
        ignore: files.get(".dockerignore").map(|text| Ignore::parse(text)),
        workspaces: workspaces.collect(),
        sources: files
            .iter()
            .filter(|(path, _)| path.starts_with("src/"))
            .map(|(path, text)| (path.clone(), text.clone()))
            .collect(),
        files: files.keys().cloned().collect(),
        is_complete: true,
        allows_scripts: files.get("package.json").is_some_and(|text| text.contains("allowScripts")),
    })
}

/// A lock file as pages write it: `name version [dev] [script]` in each line.
fn lock(text: &str) -> Lock {
    let mut lock = Lock::default();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        lock.packages.push(kiln_node::LockedPackage {
            name: words[0].to_owned(),
            version: words.get(1).unwrap_or(&"1.0.0").to_string(),
            has_integrity: true,
            is_dev: Some(words.contains(&"dev")),
            has_install_script: Some(words.contains(&"script")),
            ..kiln_node::LockedPackage::default()
        });
    }
    lock
}
