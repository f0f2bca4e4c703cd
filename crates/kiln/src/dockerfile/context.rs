//! A build context: a folder, without what its `.dockerignore` leaves out.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use kiln_disk::{Dir, Located};
use kiln_dockerfile::{Ignore, Parents};
use kiln_finding::{Class, Failure};
use kiln_rootfs::{Attrs, Entry, Kind, RootPath, Tree};

use kiln_disk::disk_failure;

/// How deep folders may lie in each other, and how many links a path may go through.
const DEPTH_MAX: usize = 256;
const IGNORE_MAX: u64 = 4 << 20;

/// A folder that `COPY` takes files from.
#[derive(Debug)]
pub(super) struct BuildContext {
    folder: Dir,
    ignore: Ignore,
}

impl BuildContext {
    /// The folder with the `.dockerignore` that belongs to the Dockerfile, or the one at its top.
    pub(super) fn open(folder: &Path, dockerfile: Option<&Path>) -> Result<Self, Failure> {
        let opened = Dir::open(folder).map_err(|error| {
            let what = format!("open the build context {}", folder.display());
            Failure::new("build.context", Class::Usage, what).with_cause(error.to_string())
        })?;
        let own = dockerfile.map(|file| {
            let mut name = file.as_os_str().to_owned();
            name.push(".dockerignore");
            PathBuf::from(name)
        });
        let shared = folder.join(".dockerignore");
        let file = own.filter(|file| file.is_file()).unwrap_or(shared);
        let ignore = match kiln_disk::read_text(&file, IGNORE_MAX) {
            Ok(text) => Ignore::parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ignore::default(),
            Err(error) => {
                let what = format!("read {}", file.display());
                return Err(Failure::new("build.context", Class::Config, what).with_cause(error.to_string()));
            }
        };
        if let Some(problem) = ignore.problems.first() {
            let what = format!("read {}: {}", file.display(), problem.message);
            return Err(Failure::new("build.context", Class::Config, what));
        }
        Ok(Self { folder: opened, ignore })
    }

    /// What lies at and below these paths, with what links on the way lead to. Paths that are not there are left out.
    pub(super) fn files(&self, paths: &[RootPath]) -> Result<Tree, Failure> {
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
                self.take_below(&path, &mut tree)?;
            }
        }
        Ok(tree)
    }

    /// Whether a path is a folder of which something may be taken.
    fn leads_below(&self, path: &RootPath) -> bool {
        let is_open = || !self.ignore.is_ignored(path.as_str()) || self.ignore.may_descend(path.as_str());
        path.is_root() || is_open() && self.folder.meta(path).is_ok_and(|found| found.is_dir())
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
            let parent = self.folder.sub(&folder.parent().unwrap_or_default());
            let parent = parent
                .map_err(|error| disk_failure("read the folder", &self.folder.place_of(&folder), &error))?;
            if let Some(entry) = self.entry(&parent, OsStr::new(folder.file_name()), &folder)? {
                tree.insert(folder, entry)?;
            }
        }
        Ok(tree.insert(path, entry)?)
    }

    /// Takes in every part of a path. Where a part is a link, says where the path goes on.
    fn take_way(&self, path: &RootPath, tree: &mut Tree) -> Result<Option<RootPath>, Failure> {
        let mut here = RootPath::ROOT;
        let parts: Vec<&str> = path.parts().collect();
        for (at, part) in parts.iter().enumerate() {
            here = here.join(part)?;
            if self.ignore.is_ignored(here.as_str()) && !self.ignore.may_descend(here.as_str()) {
                return Ok(None);
            }
            let parent = self.folder.sub(&here.parent().unwrap_or(RootPath::ROOT));
            let Some(entry) =
                parent.ok().map(|parent| self.entry(&parent, OsStr::new(part), &here)).transpose()?.flatten()
            else {
                return Ok(None);
            };
            let link = match &entry.kind {
                Kind::Symlink(target) => Some(target.clone()),
                _ => None,
            };
            if !self.ignore.is_ignored(here.as_str())
                || !matches!(entry.kind, Kind::Dir) && at + 1 < parts.len()
            {
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

    fn take_below(&self, top: &RootPath, tree: &mut Tree) -> Result<(), Failure> {
        let mut parents = Parents::default();
        let mut here = RootPath::ROOT;
        for part in top.parts() {
            here = here.join(part)?;
            parents = self.ignore.enter(here.as_str(), &parents).1;
        }
        let mut open = vec![(top.clone(), parents)];
        while let Some((folder, parents)) = open.pop() {
            let on_disk = self.folder.place_of(&folder);
            if folder.parts().count() > DEPTH_MAX {
                let what = format!("read `{}`: it lies deeper than {DEPTH_MAX} folders", on_disk.display());
                return Err(Failure::new("build.context", Class::Config, what));
            }
            let opened = self.folder.sub(&folder);
            let opened = opened.map_err(|error| disk_failure("read the folder", &on_disk, &error))?;
            for name in opened.names().map_err(|error| disk_failure("read the folder", &on_disk, &error))? {
                let Some(text) = name.to_str() else {
                    let what = format!("read `{}`: its name is no UTF-8", on_disk.join(&name).display());
                    return Err(Failure::new("build.context", Class::Config, what)
                        .with_help("rename it, or leave it out with .dockerignore"));
                };
                let path = folder.join(text)?;
                let (is_ignored, matched) = self.ignore.enter(path.as_str(), &parents);
                if is_ignored {
                    if self.ignore.may_descend(path.as_str())
                        && opened.meta_here(&name).is_ok_and(|found| found.is_dir())
                    {
                        open.push((path, matched));
                    }
                    continue;
                }
                let Some(entry) = self.entry(&opened, &name, &path)? else { continue };
                let is_dir = matches!(entry.kind, Kind::Dir);
                self.take(path.clone(), entry, tree)?;
                if is_dir {
                    open.push((path, matched));
                }
            }
        }
        Ok(())
    }

    /// What lies under a name of a folder, owned by root; `None` for nothing and for sockets.
    fn entry(&self, folder: &Dir, name: &OsStr, path: &RootPath) -> Result<Option<Entry>, Failure> {
        let on_disk = || folder.place().join(name);
        let meta = match folder.meta_here(name) {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(disk_failure("look at", &on_disk(), &error)),
        };
        let (mode, kind) = if meta.is_dir() {
            (meta.mode(), Kind::Dir)
        } else if meta.is_symlink() {
            let target =
                folder.link_here(name).map_err(|error| disk_failure("read the link", &on_disk(), &error))?;
            (0o777, Kind::Symlink(target.to_string_lossy().into_owned()))
        } else if meta.is_file() {
            (meta.mode(), Kind::File(Located::content(&self.folder, path.clone(), meta.size())))
        } else if meta.is_socket() {
            return Ok(None);
        } else {
            let what = format!("copy `{}`: it is a pipe or a device", on_disk().display());
            return Err(Failure::new("build.context", Class::Config, what)
                .with_help("leave it out with .dockerignore"));
        };
        Ok(Some(Entry { attrs: Attrs::root(mode), kind }))
    }
}
