//! A folder to look at, as it lies on disk.

use std::ffi::OsStr;
use std::path::Path;

use kiln_disk::{Dir, Located};
use kiln_finding::{Class, Failure};
use kiln_inventory::{Machine, scan_folder};
use kiln_oci::Arch;
use kiln_pkg::{Inventory, Unread};
use kiln_rootfs::{Attrs, Entry, Kind, RootPath, Tree};

/// How deep folders may lie in each other.
const DEPTH_MAX: usize = 256;
/// Files and folders that are looked at.
const ENTRIES_MAX: usize = 2_000_000;
/// What version control keeps for itself.
const NEVER: [&str; 3] = [".git", ".hg", ".svn"];

/// What the folder holds. Packages of lock files are those of a Linux image for this machine's architecture.
pub(crate) fn inventory(folder: &Path) -> Result<Inventory, Failure> {
    let mut walk = Walk { tree: Tree::new(), unread: Vec::new() };
    walk.folder(folder)?;
    let cpu = match Arch::host() {
        Some(Arch::Arm64) => "arm64",
        _ => "x64",
    };
    let mut inventory = scan_folder(&walk.tree, Machine { os: "linux", cpu, libc: "glibc" })?;
    inventory.unread.extend(walk.unread);
    inventory.unread.sort();
    Ok(inventory)
}

struct Walk {
    tree: Tree,
    unread: Vec<Unread>,
}

impl Walk {
    fn folder(&mut self, folder: &Path) -> Result<(), Failure> {
        let root = Dir::open(folder).map_err(|error| {
            let what = format!("read the folder {}", folder.display());
            Failure::new("kiln.read", Class::Environment, what).with_cause(error.to_string())
        })?;
        let mut open = vec![RootPath::ROOT];
        while let Some(path) = open.pop() {
            if path.parts().count() > DEPTH_MAX {
                self.missed(path.as_str(), format!("it lies deeper than {DEPTH_MAX} folders"));
                continue;
            }
            let opened = root.sub(&path).and_then(|folder| Ok((folder.names()?, folder)));
            let (names, folder) = match opened {
                Ok(opened) => opened,
                Err(error) => {
                    self.missed(path.as_str(), error.to_string());
                    continue;
                }
            };
            for name in names {
                match self.take(&root, &folder, &name, &path) {
                    Ok(Some(inside)) => open.push(inside),
                    Ok(None) => {}
                    Err(why) => self.missed(path.as_str(), why),
                }
                if self.tree.len() >= ENTRIES_MAX {
                    self.missed(
                        path.as_str(),
                        format!("there are more than {ENTRIES_MAX} files; the rest was left out"),
                    );
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn missed(&mut self, path: &str, why: String) {
        let path = if path.is_empty() { "." } else { path };
        self.unread.push(Unread { path: path.to_owned(), reader: "folder".to_owned(), why });
    }

    /// Takes in one entry; the path of a folder that is to be entered.
    fn take(
        &mut self,
        root: &Dir,
        folder: &Dir,
        name: &OsStr,
        above: &RootPath,
    ) -> Result<Option<RootPath>, String> {
        let text =
            name.to_str().ok_or_else(|| format!("{} is no UTF-8", folder.place().join(name).display()))?;
        let meta = folder.meta_here(name).map_err(|error| format!("{text}: {error}"))?;
        let path = above.join(text).map_err(|error| error.to_string())?;
        let kind = if meta.is_dir() {
            if NEVER.contains(&text) {
                return Ok(None);
            }
            Kind::Dir
        } else if meta.is_symlink() {
            let target = folder.link_here(name).map_err(|error| format!("{text}: {error}"))?;
            Kind::Symlink(target.to_string_lossy().into_owned())
        } else if meta.is_file() {
            Kind::File(Located::content(root, path.clone(), meta.size()))
        } else {
            // Sockets, pipes and devices hold nothing.
            return Ok(None);
        };
        let entry = Entry { attrs: Attrs::root(meta.mode()), kind };
        self.tree.insert(path.clone(), entry).map_err(|error| error.to_string())?;
        Ok(meta.is_dir().then_some(path))
    }
}
