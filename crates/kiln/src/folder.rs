//! A folder to look at, as it lies on disk.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use kiln_finding::Class;
use kiln_inventory::{Machine, scan_folder};
use kiln_oci::Arch;
use kiln_pkg::{Inventory, Unread};
use kiln_rootfs::{Attrs, Content, Entry, Kind, RootPath, Tree};

use crate::failure::Failure;

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
        let mut open = vec![(folder.to_owned(), RootPath::ROOT)];
        while let Some((on_disk, path)) = open.pop() {
            if path.parts().count() > DEPTH_MAX {
                self.missed(path.as_str(), format!("it lies deeper than {DEPTH_MAX} folders"));
                continue;
            }
            let entries = match fs::read_dir(&on_disk) {
                Ok(entries) => entries,
                Err(error) if path.is_root() => {
                    let what = format!("read the folder {}", on_disk.display());
                    return Err(
                        Failure::new("kiln.read", Class::Environment, what).with_cause(error.to_string())
                    );
                }
                Err(error) => {
                    self.missed(path.as_str(), error.to_string());
                    continue;
                }
            };
            for entry in entries {
                match entry.map_err(|error| error.to_string()).and_then(|entry| self.take(&entry, &path)) {
                    Ok(Some(inside)) => open.push((on_disk.join(inside.file_name()), inside)),
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
    fn take(&mut self, entry: &fs::DirEntry, above: &RootPath) -> Result<Option<RootPath>, String> {
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| format!("{} is no UTF-8", entry.path().display()))?;
        let metadata = entry.metadata().map_err(|error| format!("{name}: {error}"))?;
        let path = above.join(name).map_err(|error| error.to_string())?;
        let kind = if metadata.is_dir() {
            if NEVER.contains(&name) {
                return Ok(None);
            }
            Kind::Dir
        } else if metadata.is_symlink() {
            let target = fs::read_link(entry.path()).map_err(|error| format!("{name}: {error}"))?;
            Kind::Symlink(target.to_string_lossy().into_owned())
        } else if metadata.is_file() {
            Kind::File(Content::Disk { path: entry.path().into(), size: metadata.len() })
        } else {
            // Sockets, pipes and devices hold nothing.
            return Ok(None);
        };
        let attrs = Attrs::root(metadata.permissions().mode() & 0o7777);
        let is_dir = matches!(kind, Kind::Dir);
        self.tree.insert(path.clone(), Entry { attrs, kind }).map_err(|error| error.to_string())?;
        Ok(is_dir.then_some(path))
    }
}
