//! What lies around a Dockerfile, collected for rules that ask.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kiln_dockerfile::{Command, Ignore, has_wildcard, parse};
use kiln_lint::Context;
use kiln_node::{Lock, LockKind, PackageJson, WorkspaceGlobs, pnpm_workspace_globs};

/// Of a larger folder not all files are listed.
const MAX_FILES: usize = 20_000;
/// More source files are not looked into.
const MAX_SOURCES: usize = 300;
/// Larger source files are not looked into.
const MAX_SOURCE: u64 = 256 << 10;
/// The largest lock file that is read.
const MAX_LOCK: u64 = 64 << 20;
/// How far up the folder of the build is looked for.
const MAX_UP: usize = 6;

/// The folder that the build starts from, as plain data; `None` where it holds no package.json.
pub(super) fn collect(dockerfile: &Path, text: &str, named: Option<&Path>) -> Option<Context> {
    let folder = match named {
        Some(folder) => folder.to_owned(),
        None => guess(dockerfile, text)?,
    };
    let package_text = read(&folder.join("package.json"))?;
    let mut context = Context {
        // A broken package.json is not this command's to report; its rules stay silent.
        package: PackageJson::read("package.json", &package_text).ok(),
        allows_scripts: String::from_utf8_lossy(&package_text).contains("\"allowScripts\""),
        is_complete: true,
        ..Context::default()
    };
    context.ignore = ignore(dockerfile, &folder);
    for kind in LockKind::ALL {
        let path = folder.join(kind.file_name());
        let Ok(meta) = std::fs::metadata(&path) else { continue };
        context.lock_kinds.push(kind);
        if context.lock.is_none() && meta.len() <= MAX_LOCK {
            let bytes = read(&path).unwrap_or_default();
            context.lock = Lock::read(kind, kind.file_name(), &bytes).ok();
        }
    }
    list(&folder, "", &mut context);
    context.workspaces = workspaces(&folder, &context);
    sources(&folder, &mut context);
    Some(context)
}

/// The folder above (or at) the Dockerfile, up to the root of the repository, in which most of what it copies is there.
/// `None` where that is a folder without package.json, or where nothing fits: a wrong guess would be false alarms.
fn guess(dockerfile: &Path, text: &str) -> Option<PathBuf> {
    let absolute = std::path::absolute(dockerfile).ok()?;
    let mut folders: Vec<&Path> = absolute.ancestors().skip(1).take(MAX_UP).collect();
    let root = folders.iter().position(|folder| folder.join(".git").exists());
    folders.truncate(root.map_or(folders.len(), |root| root + 1));
    let own = *folders.first()?;
    let is_app = |folder: &Path| folder.join("package.json").is_file();
    if !folders.iter().any(|folder| is_app(folder)) {
        return None;
    }
    let copied = copied(text);
    let score = |folder: &Path| copied.iter().filter(|path| folder.join(path).exists()).count();
    let scores: Vec<usize> = folders.iter().map(|folder| score(folder)).collect();
    let best = scores.iter().copied().max()?;
    // The nearest of the best.
    let at = scores.iter().position(|score| *score == best)?;
    let folder =
        if best == 0 { folders.iter().copied().find(|folder| is_app(folder))? } else { *folders.get(at)? };
    let is_sure = best > 0 || copied.is_empty() || folder == own;
    (is_app(folder) && is_sure).then(|| folder.to_owned())
}

/// Paths of the context that a Dockerfile names literally.
fn copied(text: &str) -> BTreeSet<String> {
    let file = parse(text);
    let mut paths = BTreeSet::new();
    for instruction in &file.instructions {
        let transfer = match &instruction.command {
            Command::Copy(copy) if copy.from.is_none() => &copy.transfer,
            Command::Add(add) => &add.transfer,
            _ => continue,
        };
        let literal = transfer.paths().map(|path| path.value.trim_start_matches('/')).filter(|path| {
            !has_wildcard(path)
                && !path.contains(['$', ':'])
                && !path.contains("..")
                && !matches!(*path, "." | "./" | "")
        });
        paths.extend(literal.map(str::to_owned));
    }
    paths
}

/// What is no regular file, or larger than any such file, is as if it were not there.
fn read(path: &Path) -> Option<Vec<u8>> {
    kiln_disk::read(path, kiln_disk::DOCUMENT_MAX).ok()
}

fn ignore(dockerfile: &Path, folder: &Path) -> Option<Ignore> {
    let mut own = dockerfile.as_os_str().to_owned();
    own.push(".dockerignore");
    let text = read(&PathBuf::from(own)).or_else(|| read(&folder.join(".dockerignore")))?;
    Some(Ignore::parse(&String::from_utf8_lossy(&text)))
}

fn list(folder: &Path, prefix: &str, context: &mut Context) {
    let Ok(entries) = std::fs::read_dir(folder.join(prefix)) else {
        context.is_complete = false;
        return;
    };
    let mut folders = Vec::new();
    for entry in entries.flatten() {
        if context.files.len() >= MAX_FILES {
            context.is_complete = false;
            return;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_dir && !matches!(name.as_str(), "node_modules" | ".git") {
            folders.push(path);
        } else {
            context.files.insert(path);
        }
    }
    folders.sort();
    for path in folders {
        list(folder, &path, context);
    }
}

fn workspaces(folder: &Path, context: &Context) -> Vec<String> {
    let mut globs = context.package.as_ref().map(PackageJson::workspace_globs).unwrap_or_default();
    if let Some(bytes) = read(&folder.join("pnpm-workspace.yaml")) {
        globs.extend(pnpm_workspace_globs("pnpm-workspace.yaml", &bytes).unwrap_or_default());
    }
    let Ok(globs) = WorkspaceGlobs::new(&globs) else { return Vec::new() };
    let folders = context.files.iter().filter_map(|path| path.strip_suffix("/package.json"));
    folders.filter(|folder| globs.holds(folder)).map(str::to_owned).collect()
}

fn sources(folder: &Path, context: &mut Context) {
    let is_source = |path: &&String| {
        [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"].iter().any(|end| path.ends_with(end))
            && !path.ends_with(".d.ts")
            && !path.contains("test")
            && !path.contains("config")
    };
    let paths: Vec<String> = context.files.iter().filter(is_source).take(MAX_SOURCES).cloned().collect();
    for path in paths {
        let full = folder.join(&path);
        if let Ok(text) = kiln_disk::read_text(&full, MAX_SOURCE) {
            context.sources.insert(path, text);
        }
    }
}
