//! An app folder, taken in as facts and as a tree.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use kiln_dockerfile::Ignore;
use kiln_finding::{Class, Failure};
use kiln_node::{Lock, LockKind, PackageJson, WorkspaceGlobs, pnpm_workspace_globs};
use kiln_plan::AppFacts;
use kiln_rootfs::{Kind, RootPath, Tree};
use kiln_sandbox::collect_with;

/// Folders that are never part of an app.
const NEVER: [&str; 3] = ["node_modules", ".git", ".hg"];
/// The largest source text that is looked into for ports and health paths, in bytes.
const SOURCE_MAX: u64 = 256 << 10;
/// The largest lock file that is read, in bytes.
const LOCK_MAX: u64 = 64 << 20;

/// An app.
pub(crate) struct Project {
    pub(crate) facts: AppFacts,
    /// Its files; content stays on disk.
    pub(crate) tree: Tree,
}

impl Project {
    pub(crate) fn collect(folder: &Path) -> Result<Self, Failure> {
        Self::collect_with(folder, &lock)
    }

    /// The same for apps whose lock file `read_lock` knows better.
    pub(crate) fn collect_with(folder: &Path, read_lock: ReadLock<'_>) -> Result<Self, Failure> {
        if !folder.join("package.json").is_file() {
            let what = format!("find the app: there is no package.json in {}", folder.display());
            return Err(Failure::new("kiln.no_app", Class::Usage, what)
                .with_help("name the folder of a Node.js app: `kiln ship path/to/app`"));
        }
        let ignored = Ignored::read(folder);
        let tree = collect_with(folder, &mut |path, is_dir| !ignored.has(path, is_dir))?;
        let package = PackageJson::read("package.json", &bytes(&tree, "package.json")?)?;
        let facts = AppFacts {
            workspace: workspace(&tree, &package)?,
            lock: read_lock(&tree)?,
            files: tree
                .iter()
                .filter(|(_, entry)| !matches!(entry.kind, Kind::Dir))
                .map(|(path, _)| path.clone())
                .collect(),
            sources: sources(&tree),
            package,
        };
        Ok(Self { facts, tree })
    }
}

/// What `.dockerignore` leaves out, and plain names of `.gitignore` such as `dist/` or `/coverage`: build output of a
/// desk must not reach an image, and those are how it is named.
struct Ignored {
    anywhere: Vec<String>,
    at_root: Vec<String>,
    docker: Ignore,
}

impl Ignored {
    fn read(folder: &Path) -> Self {
        // A file that is missing or unreadable leaves nothing out.
        let text = |file: &str| {
            kiln_disk::read_text(&folder.join(file), kiln_disk::DOCUMENT_MAX).unwrap_or_default()
        };
        let docker = Ignore::parse(&text(".dockerignore"));
        let mut ignored = Self { anywhere: NEVER.map(str::to_owned).to_vec(), at_root: Vec::new(), docker };
        for line in text(".gitignore").lines().map(str::trim) {
            let name = line.trim_end_matches('/');
            let (name, anywhere) = match name.strip_prefix("**/") {
                Some(name) => (name, true),
                None => (name.trim_start_matches('/'), !name.starts_with('/')),
            };
            let is_plain = !name.is_empty()
                && !name.starts_with(['#', '!'])
                && !name.contains(['*', '?', '[', '/', '\\']);
            // What a `.gitignore` keeps from the repository may still be needed here: settings, keys.
            if !is_plain || name.starts_with('.') && name != ".next" && name != ".output" {
                continue;
            }
            if anywhere {
                ignored.anywhere.push(name.to_owned());
            } else {
                ignored.at_root.push(name.to_owned());
            }
        }
        ignored
    }

    fn has(&self, path: &RootPath, is_dir: bool) -> bool {
        let name = path.file_name();
        let is_root = path.parent().is_some_and(|parent| parent.is_root());
        let listed = |list: &[String]| list.iter().any(|listed| listed == name);
        name == "kiln.lock"
            || is_dir && listed(&self.anywhere)
            || is_root && listed(&self.at_root)
            || self.is_left_out(path, is_dir)
    }

    /// What `.dockerignore` says, but for what kiln plans from: a file for another build may leave that out.
    fn is_left_out(&self, path: &RootPath, is_dir: bool) -> bool {
        let is_manifest = path.file_name() == "package.json"
            || path.file_name() == "pnpm-workspace.yaml"
            || LockKind::ALL.iter().any(|kind| path.as_str() == kind.file_name());
        let holds_more = is_dir && self.docker.may_descend(path.as_str());
        !is_manifest && !holds_more && self.docker.is_ignored(path.as_str())
    }
}

pub(crate) fn bytes(tree: &Tree, path: &str) -> Result<Vec<u8>, Failure> {
    let failed = |cause: &dyn std::fmt::Display| {
        Failure::new("kiln.read", Class::Environment, format!("read {path}")).with_cause(cause.to_string())
    };
    let root_path = RootPath::normalise(path)?;
    let Some(Kind::File(content)) = tree.get(&root_path).map(|entry| &entry.kind) else {
        return Err(failed(&"it is no regular file"));
    };
    let mut bytes = Vec::new();
    let read = content.open().and_then(|file| file.take(LOCK_MAX).read_to_end(&mut bytes));
    read.map_err(|error| failed(&error))?;
    Ok(bytes)
}

/// Reads the lock file of a tree.
pub(crate) type ReadLock<'a> = &'a dyn Fn(&Tree) -> Result<Option<(LockKind, Lock)>, Failure>;

pub(crate) fn lock(tree: &Tree) -> Result<Option<(LockKind, Lock)>, Failure> {
    for kind in LockKind::ALL {
        let name = kind.file_name();
        if tree.get(&RootPath::normalise(name)?).is_some() {
            return Ok(Some((kind, Lock::read(kind, name, &bytes(tree, name)?)?)));
        }
    }
    Ok(None)
}

fn workspace(tree: &Tree, package: &PackageJson) -> Result<BTreeMap<String, PackageJson>, Failure> {
    let mut globs = package.workspace_globs();
    let pnpm = "pnpm-workspace.yaml";
    if tree.get(&RootPath::normalise(pnpm)?).is_some() {
        globs.extend(pnpm_workspace_globs(pnpm, &bytes(tree, pnpm)?)?);
    }
    let globs = WorkspaceGlobs::new(&globs)?;
    let mut projects = BTreeMap::new();
    for (path, _) in tree.iter().filter(|(path, _)| path.file_name() == "package.json") {
        let Some(folder) = path.parent().filter(|folder| !folder.is_root()) else { continue };
        if globs.holds(folder.as_str()) {
            let package = PackageJson::read(path.as_str(), &bytes(tree, path.as_str())?)?;
            projects.insert(folder.to_string(), package);
        }
    }
    Ok(projects)
}

fn sources(tree: &Tree) -> BTreeMap<RootPath, String> {
    let is_source = |path: &RootPath| {
        [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"].iter().any(|end| path.as_str().ends_with(end))
            && !path.as_str().ends_with(".d.ts")
    };
    let mut sources = BTreeMap::new();
    for (path, entry) in tree.iter().filter(|(path, _)| is_source(path)) {
        let Kind::File(content) = &entry.kind else { continue };
        if content.size() > SOURCE_MAX {
            continue;
        }
        let mut text = String::new();
        // What cannot be read as text says nothing about ports; the build will tell if it matters.
        if content.open().is_ok_and(|mut file| file.read_to_string(&mut text).is_ok()) {
            sources.insert(path.clone(), text);
        }
    }
    sources
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_dockerignore_names_is_no_part_of_an_app() {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [
            (".dockerignore", "**/*.md\ndocs\n!docs/keep.json\npackage.json\n"),
            ("package.json", r#"{"name":"x"}"#),
            ("README.md", ""),
            ("docs/keep.json", "{}"),
            ("docs/dropped.json", "{}"),
            ("src/a.js", ""),
            ("src/NOTES.md", ""),
        ] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let project = Project::collect(folder.path()).unwrap();
        let files: Vec<&str> = project.facts.files.iter().map(RootPath::as_str).collect();
        assert_eq!(files, [".dockerignore", "docs/keep.json", "package.json", "src/a.js"]);
    }
}
