use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kiln_finding::Failure;

/// Folders that hold no Dockerfiles of one's own.
const SKIPPED: [&str; 4] = ["node_modules", ".git", "target", "vendor"];
/// Deeper folders are not looked into.
const MAX_DEPTH: usize = 24;

/// The Dockerfiles that paths name: files themselves, and what folders hold. Sorted, each once.
pub(crate) fn dockerfiles(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = BTreeSet::new();
    for path in paths {
        if path.is_dir() {
            walk(path, 0, &mut found);
        } else if path.exists() {
            found.insert(path.clone());
        } else {
            return Err(Failure::usage(format!(
                "look at {}: there is no such file or folder",
                path.display()
            )));
        }
    }
    if found.is_empty() {
        let named: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        return Err(Failure::usage(format!("find a Dockerfile in {}", named.join(", "))).with_help(
            "names are Dockerfile, Dockerfile.*, *.Dockerfile and Containerfile; or name the file itself",
        ));
    }
    Ok(found.into_iter().collect())
}

fn walk(folder: &Path, depth: usize, found: &mut BTreeSet<PathBuf>) {
    // What cannot be read holds nothing that could be built either.
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let name = name.to_string_lossy();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth < MAX_DEPTH && !SKIPPED.contains(&name.as_ref()) => {
                walk(&path, depth + 1, found);
            }
            // A pipe of that name is nothing to wait for.
            Ok(kind) if is_dockerfile(&name) && (kind.is_file() || path.is_file()) => {
                found.insert(if folder == Path::new(".") { PathBuf::from(name.as_ref()) } else { path });
            }
            _ => {}
        }
    }
}

/// Whether a file of that name is a Dockerfile.
pub(crate) fn is_dockerfile(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let is_named = lower == "dockerfile" || lower == "containerfile";
    let has_end = lower.strip_suffix(".dockerfile").is_some_and(|rest| !rest.is_empty());
    let has_start = lower.starts_with("dockerfile.") || lower.starts_with("containerfile.");
    let is_other =
        [".dockerignore", ".md", ".orig", ".bak", ".rej", ".swp"].iter().any(|end| lower.ends_with(end));
    (is_named || has_end || has_start) && !is_other
}
