//! A build context: a folder, without what its `.dockerignore` leaves out.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use kiln_dockerfile::{Ignore, Parents};
use kiln_finding::Class;
use kiln_rootfs::{Attrs, Content, Entry, Kind, RootPath, Tree};

use crate::failure::Failure;
use crate::scratch::io;

/// How deep folders may lie in each other, and how many links a path may go through.
const DEPTH_MAX: usize = 256;
const IGNORE_MAX: u64 = 4 << 20;

/// A folder that `COPY` takes files from.
#[derive(Debug)]
pub(super) struct BuildContext {
    folder: PathBuf,
    ignore: Ignore,
}

impl BuildContext {
    /// The folder with the `.dockerignore` that belongs to the Dockerfile, or the one at its top.
    pub(super) fn open(folder: &Path, dockerfile: Option<&Path>) -> Result<Self, Failure> {
        if !folder.is_dir() {
            let what = format!("open the build context: {} is no folder", folder.display());
            return Err(Failure::new("build.context", Class::Usage, what));
        }
        let own = dockerfile.map(|file| {
            let mut name = file.as_os_str().to_owned();
            name.push(".dockerignore");
            PathBuf::from(name)
        });
        let shared = folder.join(".dockerignore");
        let file = own.filter(|file| file.is_file()).unwrap_or(shared);
        let ignore = match fs::metadata(&file) {
            Ok(found) if found.len() > IGNORE_MAX => {
                let what = format!("read {}: it has more than 4 MiB", file.display());
                return Err(Failure::new("build.context", Class::Config, what));
            }
            Ok(_) => {
                let text = fs::read_to_string(&file).map_err(|error| io("read", &file, &error))?;
                Ignore::parse(&text)
            }
            Err(_) => Ignore::default(),
        };
        if let Some(problem) = ignore.problems.first() {
            let what = format!("read {}: {}", file.display(), problem.message);
            return Err(Failure::new("build.context", Class::Config, what));
        }
        Ok(Self { folder: folder.to_owned(), ignore })
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
            } else if path.is_root() || tree.get(&path).is_some_and(|entry| matches!(entry.kind, Kind::Dir)) {
                self.take_below(&path, &mut tree)?;
            }
        }
        Ok(tree)
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
            let on_disk = self.folder.join(here.as_str());
            let Some(entry) = Self::entry(&on_disk)? else { return Ok(None) };
            let link = match &entry.kind {
                Kind::Symlink(target) => Some(target.clone()),
                _ => None,
            };
            if !self.ignore.is_ignored(here.as_str())
                || !matches!(entry.kind, Kind::Dir) && at + 1 < parts.len()
            {
                tree.insert(here.clone(), entry)?;
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
            let on_disk = self.folder.join(folder.as_str());
            if folder.parts().count() > DEPTH_MAX {
                let what = format!("read `{}`: it lies deeper than {DEPTH_MAX} folders", on_disk.display());
                return Err(Failure::new("build.context", Class::Config, what));
            }
            for entry in fs::read_dir(&on_disk).map_err(|error| io("read the folder", &on_disk, &error))? {
                let on_disk = entry.map_err(|error| io("read the folder", &on_disk, &error))?.path();
                let Some(name) = on_disk.file_name().and_then(|name| name.to_str()) else {
                    let what = format!("read `{}`: its name is no UTF-8", on_disk.display());
                    return Err(Failure::new("build.context", Class::Config, what)
                        .with_help("rename it, or leave it out with .dockerignore"));
                };
                let path = folder.join(name)?;
                let (is_ignored, matched) = self.ignore.enter(path.as_str(), &parents);
                let is_dir = on_disk.is_dir() && !on_disk.is_symlink();
                if is_ignored {
                    if is_dir && self.ignore.may_descend(path.as_str()) {
                        open.push((path, matched));
                    }
                    continue;
                }
                let Some(entry) = Self::entry(&on_disk)? else { continue };
                tree.insert(path.clone(), entry)?;
                if is_dir {
                    open.push((path, matched));
                }
            }
        }
        Ok(())
    }

    /// What lies there, owned by root; `None` for nothing and for sockets.
    fn entry(on_disk: &Path) -> Result<Option<Entry>, Failure> {
        let metadata = match fs::symlink_metadata(on_disk) {
            Ok(metadata) => metadata,
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(io("look at", on_disk, &error)),
        };
        let kind = metadata.file_type();
        let mode = metadata.permissions().mode() & 0o7777;
        Ok(Some(if kind.is_dir() {
            Entry { attrs: Attrs::root(mode), kind: Kind::Dir }
        } else if kind.is_symlink() {
            let target = fs::read_link(on_disk).map_err(|error| io("read the link", on_disk, &error))?;
            Entry { attrs: Attrs::root(0o777), kind: Kind::Symlink(target.to_string_lossy().into_owned()) }
        } else if kind.is_file() {
            let content = Content::Disk { path: on_disk.into(), size: metadata.len() };
            Entry { attrs: Attrs::root(mode), kind: Kind::File(content) }
        } else if kind.is_socket() {
            return Ok(None);
        } else {
            let what = format!("copy `{}`: it is a pipe or a device", on_disk.display());
            return Err(Failure::new("build.context", Class::Config, what)
                .with_help("leave it out with .dockerignore"));
        }))
    }
}
