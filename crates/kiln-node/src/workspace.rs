use kiln_text::{BadGlob, Globs};
use serde::Deserialize;

use crate::Error;
use crate::error::ErrorKind;

/// How many bytes the globs of one workspace may have together: each folder is held against all of them.
const GLOBS_MAX: usize = 16 << 10;

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

/// Which folders belong to a workspace: globs ([`kiln_text::Glob`]), and one that starts with `!` takes folders out again.
#[derive(Debug)]
pub struct WorkspaceGlobs {
    into: Globs,
    out: Globs,
}

impl WorkspaceGlobs {
    /// Reads the globs of a workspace. What is no glob stands for itself.
    pub fn new(globs: &[String]) -> Result<Self, Error> {
        let bytes: usize = globs.iter().map(String::len).sum();
        if bytes > GLOBS_MAX {
            return Err(ErrorKind::Workspaces { bytes, most: GLOBS_MAX }.into());
        }
        let (out, into): (Vec<&str>, Vec<&str>) =
            globs.iter().map(String::as_str).partition(|glob| glob.starts_with('!'));
        let out: Vec<&str> = out.into_iter().map(|glob| &glob[1..]).collect();
        Ok(Self { into: set(&into)?, out: set(&out)? })
    }

    /// Whether a folder, relative to the top of the workspace, belongs to it.
    pub fn holds(&self, folder: &str) -> bool {
        self.into.is_match(folder) && !self.out.is_match(folder)
    }
}

fn set(globs: &[&str]) -> Result<Globs, Error> {
    let globs = globs.iter().map(|glob| glob.trim_start_matches("./").trim_end_matches('/'));
    Globs::or_literal(globs).map_err(|source: BadGlob| ErrorKind::Globs { source }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(globs: &[&str], folder: &str) -> bool {
        let globs: Vec<String> = globs.iter().map(|&glob| glob.to_owned()).collect();
        WorkspaceGlobs::new(&globs).unwrap().holds(folder)
    }

    #[test]
    fn globs_name_folders() {
        assert!(holds(&["apps/*"], "apps/api"));
        assert!(!holds(&["apps/*"], "apps/api/deep"));
        assert!(holds(&["packages/**"], "packages/a/b") && holds(&["packages/**"], "packages"));
        assert!(!holds(&["apps/*", "!apps/old"], "apps/old"));
        assert!(holds(&["./tools/x-*/"], "tools/x-y"));
        assert!(holds(&["{apps,libs}/*"], "libs/a") && holds(&["apps/a*b*c"], "apps/a1b2c"));
        assert!(holds(&["apps/[x"], "apps/[x") && !holds(&["apps/[x"], "apps/x"));
    }

    #[test]
    fn hostile_globs_end() {
        let deep = vec!["**"; 28].join("/") + "/x";
        assert!(!holds(&[&deep], &vec!["a"; 60].join("/")));
        let many = vec!["apps/*".to_owned(); 10_000];
        assert!(WorkspaceGlobs::new(&many).unwrap_err().to_string().contains("16384"));
    }
}
