use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kiln_dockerfile::{Command, has_wildcard, parse};

/// How far up the folder of the build is looked for.
const UP_MAX: usize = 6;

/// The folder above (or at) the Dockerfile, up to the root of the repository, in which most of what it copies is there.
/// `None` where that is a folder without package.json, or where nothing fits: a wrong guess would be false alarms.
pub(crate) fn folder(dockerfile: &Path, text: &str) -> Option<PathBuf> {
    let absolute = std::path::absolute(dockerfile).ok()?;
    let mut folders: Vec<&Path> = absolute.ancestors().skip(1).take(UP_MAX).collect();
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
