use serde::Deserialize;

use crate::Error;
use crate::error::ErrorKind;

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    packages: Vec<String>,
}

/// The folders that `pnpm-workspace.yaml` names, as globs.
pub fn pnpm_workspace_globs(path: &str, bytes: &[u8]) -> Result<Vec<String>, Error> {
    let text = String::from_utf8_lossy(bytes);
    let file: File =
        serde_saphyr::from_str(&text).map_err(|source| ErrorKind::Yaml { path: path.to_owned(), source })?;
    Ok(file.packages)
}

/// Whether a folder belongs to a workspace with these globs. `*` is one part, `**` any number of them, and a
/// glob that starts with `!` takes folders out again.
pub fn matches_workspace(globs: &[String], folder: &str) -> bool {
    let parts: Vec<&str> = folder.split('/').collect();
    let matches = |glob: &str| {
        let glob: Vec<&str> = glob.trim_start_matches("./").trim_end_matches('/').split('/').collect();
        glob_matches(&glob, &parts)
    };
    let (out, into): (Vec<&String>, Vec<&String>) = globs.iter().partition(|glob| glob.starts_with('!'));
    into.iter().any(|glob| matches(glob)) && !out.iter().any(|glob| matches(&glob[1..]))
}

fn glob_matches(glob: &[&str], parts: &[&str]) -> bool {
    match (glob.split_first(), parts.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => {
            glob_matches(rest, parts)
                || parts.split_first().is_some_and(|(_, below)| glob_matches(glob, below))
        }
        (Some((pattern, rest)), Some((part, below))) => {
            part_matches(pattern, part) && glob_matches(rest, below)
        }
        _ => false,
    }
}

fn part_matches(pattern: &str, part: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == part,
        Some((before, after)) => {
            part.len() >= before.len() + after.len() && part.starts_with(before) && part.ends_with(after)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_name_folders() {
        let globs = |list: &[&str]| list.iter().map(|&glob| glob.to_owned()).collect::<Vec<_>>();
        assert!(matches_workspace(&globs(&["apps/*"]), "apps/api"));
        assert!(!matches_workspace(&globs(&["apps/*"]), "apps/api/deep"));
        assert!(matches_workspace(&globs(&["packages/**"]), "packages/a/b"));
        assert!(!matches_workspace(&globs(&["apps/*", "!apps/old"]), "apps/old"));
        assert!(matches_workspace(&globs(&["./tools/x-*/"]), "tools/x-y"));
    }
}
