//! Facts out of a tree, whatever rules it was read by.

use std::collections::BTreeMap;
use std::io::Read;

use kiln_finding::{Class, Failure};
use kiln_node::{
    AppFacts, Lock, LockKind, NODE_VERSION_FILES, NodeRequest, PackageJson, ScriptAllowances, WorkspaceGlobs,
    Yarn, pnpm_workspace_globs,
};
use kiln_rootfs::{Kind, RootPath, Tree};

use crate::{Folder, beside, commands, outside};

/// The largest lock file or other document that is read, in bytes.
pub(crate) const DOCUMENT_MAX: u64 = kiln_disk::DOCUMENT_MAX;
/// The largest source text or script that is looked into, in bytes.
pub(crate) const SOURCE_MAX: u64 = 256 << 10;
/// Source texts together, in bytes; those after it are not looked into.
const SOURCES_MAX: u64 = 64 << 20;
/// The largest file that asks for a version of Node.
const VERSION_MAX: u64 = 64 << 10;
/// Lock files of every package manager, whether or not kiln can install from them.
const LOCK_FILES: [&str; 6] =
    ["bun.lock", "bun.lockb", "npm-shrinkwrap.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock"];
const PNPM: &str = "pnpm-workspace.yaml";

/// Everything; a lock file or a workspace that cannot be read is an error.
pub(crate) fn all(folder: &Folder, tree: &Tree, package: PackageJson) -> Result<AppFacts, Failure> {
    let yarn = yarn(tree, &package)?;
    let mut lock = if yarn.is_some() { lock_of(tree, LockKind::Yarn)? } else { lock(tree)? };
    let (workspace, links) = workspace(tree, &package)?;
    let scripts = ScriptAllowances::read(&package, text(tree, PNPM)?.as_deref())?;
    let facts = AppFacts { yarn, workspace, links, scripts, ..of_names(folder, tree, package) };
    if let Some((_, lock)) = &mut lock {
        let projects = facts.projects().map(|(folder, package)| (folder.to_owned(), package.clone()));
        lock.relate(&projects.collect());
    }
    Ok(AppFacts { lock, ..facts })
}

/// What is known without reading a lock file or a workspace.
pub(crate) fn of_names(folder: &Folder, tree: &Tree, package: PackageJson) -> AppFacts {
    // Asked for by tools of the desk, so no rule for builds leaves them out.
    let asking: Vec<(&'static str, String)> = NODE_VERSION_FILES
        .into_iter()
        .filter_map(|name| Some((name, folder.text(name, VERSION_MAX)?)))
        .collect();
    let files = tree.iter().filter(|(_, entry)| !matches!(entry.kind, Kind::Dir));
    AppFacts {
        node_requests: NodeRequest::all(&package, &asking),
        lock_files: lock_files(folder),
        beside: beside::collect(folder.dir()),
        commands: commands::collect(folder.dir()),
        files: files.map(|(path, _)| path.clone()).collect(),
        sources: sources(tree),
        package,
        ..AppFacts::default()
    }
}

fn lock_files(folder: &Folder) -> Vec<String> {
    let is_there = |name: &&'static str| folder.dir().meta(&path(name)).is_ok_and(|found| found.is_file());
    LOCK_FILES.into_iter().filter(is_there).map(str::to_owned).collect()
}

pub(crate) fn path(text: &'static str) -> RootPath {
    RootPath::normalise(text).expect("a plain name is a path")
}

pub(crate) fn bytes(tree: &Tree, path: &str) -> Result<Vec<u8>, Failure> {
    let failed = |cause: String| {
        Failure::new("app.unread", Class::Environment, format!("read {path}")).with_cause(cause)
    };
    let Some(Kind::File(content)) = tree.get(&RootPath::normalise(path)?).map(|entry| &entry.kind) else {
        return Err(failed("it is no regular file".to_owned()));
    };
    if content.size() > DOCUMENT_MAX {
        return Err(failed(format!("it has more than {DOCUMENT_MAX} bytes")));
    }
    let mut bytes = Vec::new();
    let read = content.open().and_then(|file| file.take(DOCUMENT_MAX).read_to_end(&mut bytes));
    read.map_err(|error| failed(error.to_string()))?;
    Ok(bytes)
}

/// The text of a file; `None` where there is none.
pub(crate) fn text(tree: &Tree, path: &str) -> Result<Option<String>, Failure> {
    if tree.get(&RootPath::normalise(path)?).is_none() {
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(&bytes(tree, path)?).into_owned()))
}

/// The first lock file that kiln can install from.
pub(crate) fn lock(tree: &Tree) -> Result<Option<(LockKind, Lock)>, Failure> {
    for kind in LockKind::ALL {
        if let Some(lock) = lock_of(tree, kind)? {
            return Ok(Some(lock));
        }
    }
    Ok(None)
}

fn lock_of(tree: &Tree, kind: LockKind) -> Result<Option<(LockKind, Lock)>, Failure> {
    let name = kind.file_name();
    if tree.get(&path(name)).is_none() {
        return Ok(None);
    }
    let bytes = bytes(tree, name)?;
    let kind = kind.of(&bytes);
    Ok(Some((kind, Lock::read(kind, name, &bytes)?)))
}

fn yarn(tree: &Tree, package: &PackageJson) -> Result<Option<Yarn>, Failure> {
    let Some(lock) = text(tree, LockKind::Yarn.file_name())? else { return Ok(None) };
    let settings = text(tree, ".yarnrc.yml")?.unwrap_or_default();
    Ok(Yarn::read(lock.as_bytes(), &settings, package)?)
}

type Projects = BTreeMap<String, PackageJson>;

/// The `package.json` of each project of the workspace, by folder, and the links that lead to projects.
fn workspace(tree: &Tree, package: &PackageJson) -> Result<(Projects, outside::Links), Failure> {
    let mut globs = package.workspace_globs();
    if tree.get(&path(PNPM)).is_some() {
        globs.extend(pnpm_workspace_globs(PNPM, &bytes(tree, PNPM)?)?);
    }
    let globs = WorkspaceGlobs::new(&globs)?;
    let (linked, links) = outside::linked(tree, &globs)?;
    let mut projects = BTreeMap::new();
    for (path, _) in tree.iter().filter(|(path, _)| path.file_name() == "package.json") {
        let Some(folder) = path.parent().filter(|folder| !folder.is_root()) else { continue };
        if globs.holds(folder.as_str()) || linked.contains(&folder) {
            let package = PackageJson::read(path.as_str(), &bytes(tree, path.as_str())?)?;
            projects.insert(folder.to_string(), package);
        }
    }
    outside::refuse(package, &projects, tree)?;
    Ok((projects, links))
}

/// The folders of the workspace's projects, where nothing of it may fail.
pub(crate) fn workspace_folders(tree: &Tree, package: &PackageJson) -> Vec<String> {
    let mut globs = package.workspace_globs();
    if let Ok(bytes) = bytes(tree, PNPM) {
        globs.extend(pnpm_workspace_globs(PNPM, &bytes).unwrap_or_default());
    }
    let Ok(globs) = WorkspaceGlobs::new(&globs) else { return Vec::new() };
    let folders = tree.iter().filter_map(|(path, _)| path.as_str().strip_suffix("/package.json"));
    folders.filter(|folder| globs.holds(folder)).map(str::to_owned).collect()
}

fn sources(tree: &Tree) -> BTreeMap<RootPath, String> {
    // `bin/www` of many a server has no ending.
    let is_program = |path: &RootPath| {
        !path.file_name().contains('.') && path.parent().is_some_and(|folder| folder.file_name() == "bin")
    };
    // Keepers of programs read which they start.
    let is_list = |path: &RootPath| {
        let name = path.file_name();
        ["ecosystem", "pm2", "process"].iter().any(|start| name.starts_with(start))
            && name.rsplit('.').next() == Some("json")
    };
    let is_source = |path: &RootPath| {
        [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"].iter().any(|end| path.as_str().ends_with(end))
            && !path.as_str().ends_with(".d.ts")
            || is_program(path)
            || is_list(path)
    };
    let mut sources = BTreeMap::new();
    let mut left = SOURCES_MAX;
    for (path, entry) in tree.iter().filter(|(path, _)| is_source(path)) {
        let Kind::File(content) = &entry.kind else { continue };
        if content.size() > SOURCE_MAX {
            continue;
        }
        let Some(rest) = left.checked_sub(content.size()) else { break };
        left = rest;
        let mut text = String::new();
        let read = content.open().and_then(|file| file.take(SOURCE_MAX).read_to_string(&mut text));
        // What cannot be read as text says nothing about ports; the build will tell if it matters.
        if read.is_ok() {
            sources.insert(path.clone(), text);
        }
    }
    sources
}
