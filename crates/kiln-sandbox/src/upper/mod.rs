//! Layers as folders that an overlay takes, both ways.
//!
//! A folder under [`Ids::Many`] has real owners. Under [`Ids::One`] everything belongs to whoever runs kiln, and
//! owners are noted in an extended attribute, which an overlay carries along when a command changes a file.

mod attrs;
mod read;
mod write;

use std::io;
use std::path::Path;

use kiln_disk::Dir;
use kiln_rootfs::RootPath;

use crate::Ids;

pub(crate) use attrs::parse_owner;
pub use read::read_upper;
pub use write::{Placing, write_upper};

/// The extended attribute that notes the owner of a file as `uid:gid`, where the file system cannot.
pub const OWNER: &str = "user.kiln.owner";
/// Prefix of all that kiln notes on files.
const OURS: &str = "user.kiln.";
/// Prefix of extended attributes that only root may set, as they are noted by others.
const NOTED: &str = "user.kiln.note.";
/// How an overlay in a user namespace marks a folder that hides what lies below (overlayfs.rst, "userxattr").
const OPAQUE: &str = "user.overlay.opaque";

/// Gives a file or folder of kiln's own to a user and a group inside, where those are real. A link is not followed.
pub fn own(path: &Path, ids: Ids, uid: u32, gid: u32) -> io::Result<()> {
    match attrs::outside(ids, uid, gid)? {
        Some((uid, gid)) => kiln_disk::own::give(path, uid, gid),
        None => Ok(()),
    }
}

/// Removes what may have been left of mount points: an empty file or folder at `path`, and empty folders above it, as
/// long as `is_ours` says that nobody but the sandbox can have made them.
pub fn remove_stubs(folder: &Dir, path: &RootPath, is_ours: &dyn Fn(&RootPath) -> bool) {
    let mut at = Some(path.clone());
    while let Some(path) = at.filter(|path| !path.is_root() && is_ours(path)) {
        let gone = match folder.meta(&path) {
            Ok(found) if found.is_dir() || found.is_file() && found.size() == 0 => {
                folder.remove_one(&path).is_ok()
            }
            Ok(_) => false,
            Err(_) => true,
        };
        at = if gone { path.parent() } else { None };
    }
}

/// Whether a layer takes away what lower layers hold at this path: a folder on the way is opaque, or gone. A layer that takes
/// away the root stands for all below it.
pub fn hides(folder: &Dir, path: &RootPath) -> bool {
    let mut at = Some(path.clone());
    while let Some(here) = at {
        if !here.is_root() && folder.meta(&here).is_ok_and(|found| !found.is_dir())
            || is_opaque(folder, &here)
        {
            return true;
        }
        at = here.parent();
    }
    false
}

fn is_opaque(folder: &Dir, path: &RootPath) -> bool {
    let mut value = [0; 4];
    folder.handle(path).is_ok_and(|file| {
        rustix::fs::fgetxattr(file, OPAQUE, &mut value).is_ok_and(|length| value[..length] == *b"y")
    })
}
