//! What a repository has git read before it answers. git follows `include.path` wherever it leads, and a pipe there, or in the place of a
//! file of the repository, is waited for without end: so each is looked at before git is asked anything.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::git::git;

/// How deep files of settings may include each other, as in git.
const DEPTH_MAX: usize = 10;
/// How much a list of includes may be, in bytes.
const LISTED_MAX: usize = 1 << 20;
/// The most that a file holds which says where a repository lies, in bytes.
const POINTER_MAX: u64 = 64 << 10;

/// Fails where git would read something that is no file, or where that cannot be told. Everything is over at `until`.
pub(super) fn check(folder: &Path, until: Instant) -> Result<(), String> {
    let own = folder.ancestors().map(|above| above.join(".git")).find(|own| own.symlink_metadata().is_ok());
    let Some(own) = own else { return Ok(()) };
    let repository = if own.is_dir() { own } else { pointed(&own, "gitdir: ")? };
    let common = repository.join("commondir");
    let shared = if common.exists() { pointed(&common, "")? } else { repository.clone() };
    let head = repository.join("HEAD");
    if existing(&head)? {
        // Where it names no branch, it is a commit.
        if let Ok(branch) = pointed(&head, "ref: ") {
            existing(&branch)?;
            existing(&shared.join(branch.strip_prefix(&repository).unwrap_or(&branch)))?;
        }
    }
    for shared in ["packed-refs", "shallow", "objects/info/alternates"].map(|name| shared.join(name)) {
        existing(&shared)?;
    }
    includes(&shared.join("config"), until, 0)?;
    includes(&repository.join("config.worktree"), until, 0)
}

/// The folder that a file leads to.
fn pointed(file: &Path, prefix: &str) -> Result<PathBuf, String> {
    existing(file)?;
    let text = kiln_disk::read_text(file, POINTER_MAX)
        .map_err(|error| format!("read {}: {error}", file.display()))?;
    let place = text.strip_prefix(prefix).unwrap_or_default().trim_end_matches(['\n', '\r']);
    if place.is_empty() {
        return Err(format!("{} leads to no repository", file.display()));
    }
    Ok(file.parent().unwrap_or(file).join(place))
}

/// Whether a file is there; anything else in its place is an error.
fn existing(path: &Path) -> Result<bool, String> {
    match path.metadata().as_ref().map(Metadata::is_file) {
        Ok(true) => Ok(true),
        Ok(false) => Err(format!("{}, which git would read, is no file", path.display())),
        Err(_) => Ok(false),
    }
}

/// Looks at a file of settings, and at those that it includes, under whatever condition.
fn includes(file: &Path, until: Instant, depth: usize) -> Result<(), String> {
    if !existing(file)? {
        return Ok(());
    }
    if depth > DEPTH_MAX {
        return Err(format!("{} is included more than {DEPTH_MAX} files deep", file.display()));
    }
    for place in included(file, until)? {
        let place = match place.strip_prefix("~/") {
            Some(rest) => std::env::home_dir().unwrap_or_default().join(rest),
            None if place.starts_with(['~', '%']) => {
                return Err(format!(
                    "{} includes {place}, and where that is kiln does not know",
                    file.display()
                ));
            }
            None => file.parent().unwrap_or(file).join(place),
        };
        includes(&place, until, depth + 1)?;
    }
    Ok(())
}

/// What a file of settings includes, as it is written there. Asked outside of every repository, so that nothing but the file is read.
fn included(file: &Path, until: Instant) -> Result<Vec<String>, String> {
    let name = file.to_str().ok_or("the path of its settings is no text")?;
    let asked = ["config", "--no-includes", "-z", "--file", name, "--list"];
    let call = git(Path::new("/"), &asked).env("GIT_DIR", "/dev/null");
    let call = call.limit(until.saturating_duration_since(Instant::now())).most(LISTED_MAX);
    let ended = call.run().map_err(super::untold)?;
    if !ended.is_success() {
        return Err(ended.told());
    }
    let text = super::text(ended.stdout)?;
    let is_conditional =
        |key: &str| key.strip_prefix("includeif.").is_some_and(|rest| rest.strip_suffix(".path").is_some());
    let is_include = |key: &str| key == "include.path" || is_conditional(key);
    let entries = text.split('\0').filter_map(|entry| entry.split_once('\n'));
    Ok(entries.filter(|(key, _)| is_include(key)).map(|(_, place)| place.to_owned()).collect())
}
