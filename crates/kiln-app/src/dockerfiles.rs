use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kiln_finding::Failure;
use kiln_rootfs::Kind;

use crate::{Folder, absent};

/// Folders that hold no Dockerfiles of one's own.
const SKIPPED: [&str; 6] = ["node_modules", ".git", ".hg", ".svn", "target", "vendor"];

/// The Dockerfiles that paths name: files themselves, and what folders hold. Sorted, each once.
pub fn dockerfiles(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = BTreeSet::new();
    for path in paths {
        if path.is_dir() {
            found.extend(in_folder(path)?);
        } else if path.exists() {
            found.insert(path.clone());
        } else {
            return Err(absent(path));
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

fn in_folder(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let folder = Folder::open(path)?;
    // What cannot be read holds nothing that could be built either.
    let (tree, _) = folder.everything(&SKIPPED);
    let is_one = |kind: &Kind, place: &Path| match kind {
        Kind::File(_) => true,
        Kind::Symlink(_) => place.is_file(),
        _ => false,
    };
    let named = tree.iter().filter(|(inside, _)| is_dockerfile(inside.file_name()));
    let placed = named.map(|(inside, entry)| {
        let place =
            if path == Path::new(".") { PathBuf::from(inside.as_str()) } else { path.join(inside.as_str()) };
        (place, &entry.kind)
    });
    Ok(placed.filter(|(place, kind)| is_one(kind, place)).map(|(place, _)| place).collect())
}

/// Whether a file of that name is a Dockerfile.
pub fn is_dockerfile(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let is_named = lower == "dockerfile" || lower == "containerfile";
    let has_end = lower.strip_suffix(".dockerfile").is_some_and(|rest| !rest.is_empty());
    let has_start = lower.starts_with("dockerfile.") || lower.starts_with("containerfile.");
    let is_other =
        [".dockerignore", ".md", ".orig", ".bak", ".rej", ".swp"].iter().any(|end| lower.ends_with(end));
    (is_named || has_end || has_start) && !is_other
}
