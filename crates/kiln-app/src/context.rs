use std::ffi::OsStr;
use std::path::Path;

use kiln_dockerfile::Ignore;
use kiln_finding::Failure;
use kiln_rootfs::{Entry, Kind, RootPath, Tree};

use crate::walk::{DEPTH_MAX, entry, read_below};
use crate::{DockerIgnore, Folder, Rules};

/// A folder that `COPY` takes files from, without what its `.dockerignore` leaves out.
#[derive(Debug)]
pub struct BuildContext {
    folder: Folder,
    rules: Rules,
    ignore: Ignore,
}

impl BuildContext {
    /// The folder with the `.dockerignore` that belongs to the Dockerfile, or the one at its top.
    pub fn open(folder: &Path, dockerfile: Option<&Path>) -> Result<Self, Failure> {
        let folder = Folder::open(folder)?;
        let ignore = DockerIgnore::read(&folder, dockerfile)?.map(|found| found.ignore).unwrap_or_default();
        Ok(Self { folder, rules: Rules::DockerIgnore(ignore.clone()), ignore })
    }

    /// What lies at and below these paths, with what links on the way lead to. Paths that are not there are left out. What
    /// cannot be read is an error.
    pub fn files(&self, paths: &[RootPath]) -> Result<Tree, Failure> {
        let mut tree = Tree::new();
        let mut left: Vec<RootPath> = paths.to_vec();
        let mut seen = 0;
        while let Some(path) = left.pop() {
            seen += 1;
            if seen > DEPTH_MAX + paths.len() {
                break;
            }
            if let Some(onward) = self.take_way(&path, &mut tree)? {
                left.push(onward);
            } else if self.leads_below(&path) {
                let missed = read_below(self.folder.dir(), &self.rules, &path, &mut tree);
                if let Some(missed) = missed.first() {
                    return Err(missed.failure(self.folder.place()));
                }
            }
        }
        Ok(tree)
    }

    fn is_out(&self, path: &RootPath) -> bool {
        self.ignore.is_ignored(path.as_str())
    }

    /// Whether a path is a folder of which something may be taken.
    fn leads_below(&self, path: &RootPath) -> bool {
        let is_open = || !self.is_out(path) || self.ignore.may_descend(path.as_str());
        path.is_root() || is_open() && self.folder.dir().meta(path).is_ok_and(|found| found.is_dir())
    }

    /// Takes in every part of a path. Where a part is a link, says where the path goes on.
    fn take_way(&self, path: &RootPath, tree: &mut Tree) -> Result<Option<RootPath>, Failure> {
        let mut here = RootPath::ROOT;
        let parts: Vec<&str> = path.parts().collect();
        for (at, part) in parts.iter().enumerate() {
            here = here.join(part)?;
            if self.is_out(&here) && !self.ignore.may_descend(here.as_str()) {
                return Ok(None);
            }
            let Some(entry) = self.entry(&here)? else { return Ok(None) };
            let link = match &entry.kind {
                Kind::Symlink(target) => Some(target.clone()),
                _ => None,
            };
            if !self.is_out(&here) || !matches!(entry.kind, Kind::Dir) && at + 1 < parts.len() {
                self.take(here.clone(), entry, tree)?;
            }
            if let Some(target) = link {
                let rest = parts[at + 1..].join("/");
                let parent = here.parent().unwrap_or(RootPath::ROOT);
                let start = if target.starts_with('/') { String::new() } else { parent.to_string() };
                return Ok(RootPath::clamped(&format!("{start}/{target}/{rest}")).ok());
            }
        }
        Ok(None)
    }

    /// Takes in an entry, and the folders above it: what is taken in again brings along those that were left out.
    fn take(&self, path: RootPath, entry: Entry, tree: &mut Tree) -> Result<(), Failure> {
        let mut missing = Vec::new();
        let mut above = path.parent();
        while let Some(folder) = above.filter(|folder| !folder.is_root() && tree.get(folder).is_none()) {
            above = folder.parent();
            missing.push(folder);
        }
        for folder in missing.into_iter().rev() {
            if let Some(entry) = self.entry(&folder)? {
                tree.insert(folder, entry)?;
            }
        }
        Ok(tree.insert(path, entry)?)
    }

    /// What lies at a path; `None` for nothing, and where the way to it is not one of folders.
    fn entry(&self, path: &RootPath) -> Result<Option<Entry>, Failure> {
        let root = self.folder.dir();
        let Ok(parent) = root.sub(&path.parent().unwrap_or(RootPath::ROOT)) else { return Ok(None) };
        let found = entry(root, &parent, OsStr::new(path.file_name()), path);
        found.map_err(|missed| missed.failure(self.folder.place()))
    }
}
