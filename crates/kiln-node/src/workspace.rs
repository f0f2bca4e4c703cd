use kiln_rootfs::{Kind, RootPath, Tree};
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
    /// Those that take folders in, as they are written.
    texts: Vec<String>,
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
        let texts = into.iter().map(|glob| (*glob).to_owned()).collect();
        Ok(Self { into: set(&into)?, out: set(&out)?, texts })
    }

    /// The first that names a folder outside of the workspace's own.
    pub fn outside(&self) -> Option<&str> {
        self.texts.iter().map(String::as_str).find(|glob| climbs_out("", glob))
    }

    /// The links of a tree that are in the place of a project of the workspace at `top`, and where they lead.
    pub fn linked(&self, tree: &Tree, top: &str) -> Vec<LinkedProject> {
        let links = tree.iter().filter(|(path, entry)| {
            matches!(entry.kind, Kind::Symlink(_)) && !path.parts().any(|part| part == "node_modules")
        });
        let mut found = Vec::new();
        if self.texts.is_empty() {
            return found;
        }
        for (link, _) in links {
            let text = link.as_str();
            let below = if top.is_empty() {
                Some(text)
            } else {
                text.strip_prefix(top).and_then(|rest| rest.strip_prefix('/'))
            };
            let Some(below) = below else { continue };
            let is_project = self.holds(below);
            match tree.resolve_within(link) {
                None if is_project || self.has_projects_in(below) => {
                    found.push(LinkedProject { link: link.clone(), folder: None });
                }
                Some(folder) if is_project && has_manifest(tree, &folder) => {
                    found.push(LinkedProject { link: link.clone(), folder: Some(folder) });
                }
                _ => {}
            }
        }
        found
    }

    /// Whether a folder is one that projects are to lie in, by its name: `packages` by `packages/*`.
    fn has_projects_in(&self, folder: &str) -> bool {
        let depth = folder.split('/').count();
        let starts = self.texts.iter().filter_map(|glob| {
            let parts: Vec<&str> = glob.trim_start_matches("./").split('/').collect();
            (parts.len() > depth && !parts[..depth].contains(&"**")).then(|| parts[..depth].join("/"))
        });
        let starts: Vec<String> = starts.collect();
        set(&starts.iter().map(String::as_str).collect::<Vec<_>>())
            .is_ok_and(|starts| starts.is_match(folder))
    }

    /// Whether a folder, relative to the top of the workspace, belongs to it.
    pub fn holds(&self, folder: &str) -> bool {
        self.into.is_match(folder) && !self.out.is_match(folder)
    }
}

/// A link in the place of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedProject {
    /// Where it is.
    pub link: RootPath,
    /// The folder that it leads to; `None` where that is outside of the tree.
    pub folder: Option<RootPath>,
}

fn has_manifest(tree: &Tree, folder: &RootPath) -> bool {
    RootPath::normalise(&format!("{folder}/package.json")).is_ok_and(|path| tree.get(&path).is_some())
}

/// Whether a path, taken from a folder, leads out of the root that this folder is below, or is no path below it at all.
pub fn climbs_out(folder: &str, path: &str) -> bool {
    let mut depth = folder.split('/').filter(|part| !part.is_empty()).count();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match depth.checked_sub(1) {
                Some(above) => depth = above,
                None => return true,
            },
            _ => depth += 1,
        }
    }
    path.starts_with('/')
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
    fn links_are_projects_where_they_lead_to_one_and_are_told_where_they_lead_out() {
        let mut tree = Tree::new();
        for path in ["real/a/package.json", "real/none/index.js"] {
            tree.insert_file(path, 0o644, *b"{}").unwrap();
        }
        for (link, target) in [
            ("p/a", "../real/a"),
            ("p/none", "../real/none"),
            ("p/out", "../../ext"),
            ("elsewhere", "/etc"),
            ("q", "../q"),
            ("node_modules/p", "/etc"),
        ] {
            tree.insert_symlink(link, target).unwrap();
        }
        let globs = WorkspaceGlobs::new(&["p/*".to_owned(), "./q/*".to_owned()]).unwrap();
        let told = |linked: &LinkedProject| {
            let folder = linked.folder.as_ref().map_or("out".to_owned(), ToString::to_string);
            format!("{}: {folder}", linked.link)
        };
        let linked: Vec<String> = globs.linked(&tree, "").iter().map(told).collect();
        assert_eq!(linked, ["p/a: real/a", "p/out: out", "q: out"]);
    }

    #[test]
    fn what_climbs_out_is_seen() {
        for (folder, path) in
            [("", "../out"), ("", "./../out"), ("p/a", "../../../x"), ("", "a/../../b"), ("", "/abs")]
        {
            assert!(climbs_out(folder, path), "{folder} {path}");
        }
        for (folder, path) in [("", "p/*"), ("p/a", "../b"), ("p/a", "../../x"), ("", "./a/../b"), ("", ".")]
        {
            assert!(!climbs_out(folder, path), "{folder} {path}");
        }
        let globs = ["p/*", "!../x", "../out"].map(str::to_owned);
        assert_eq!(WorkspaceGlobs::new(&globs).unwrap().outside(), Some("../out"));
    }

    #[test]
    fn hostile_globs_end() {
        let deep = vec!["**"; 28].join("/") + "/x";
        assert!(!holds(&[&deep], &vec!["a"; 60].join("/")));
        let many = vec!["apps/*".to_owned(); 10_000];
        assert!(WorkspaceGlobs::new(&many).unwrap_err().to_string().contains("16384"));
    }
}
