use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::Path;

use kiln_rootfs::{Kind, Tree};

use crate::Error;

/// Writes a tree into `folder`, which must be empty or missing. Owners are not applied: inside the sandbox
/// everything belongs to root. Folders can always be entered and changed by the user who runs kiln.
///
/// Nothing can escape: the folder starts empty and a tree has no entry below a link.
pub fn unpack(tree: &Tree, folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
    for (path, entry) in tree.iter() {
        let target = folder.join(path.as_str());
        let mode = entry.attrs.mode & 0o777;
        let written = match &entry.kind {
            Kind::Dir if path.is_root() => Ok(()),
            Kind::Dir => fs::create_dir(&target)
                .and_then(|()| fs::set_permissions(&target, Permissions::from_mode(mode | 0o700))),
            Kind::Symlink(link) => symlink(link, &target),
            Kind::Hardlink(other) => fs::hard_link(folder.join(other.as_str()), &target),
            Kind::File(content) => {
                let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&target);
                file.and_then(|mut file| io::copy(&mut content.open()?, &mut file).map(drop))
            }
        };
        written.map_err(Error::io("write", &target))?;
    }
    Ok(())
}

/// Removes a folder and all below it, also what an overlay left without permissions. A missing folder is fine.
pub fn remove(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(_) => open_up(folder),
    }
    fs::remove_dir_all(folder).map_err(Error::io("remove", folder))
}

/// Lets the owner into every folder below.
fn open_up(folder: &Path) {
    // What cannot be opened up shows when it cannot be removed.
    drop(fs::set_permissions(folder, Permissions::from_mode(0o700)));
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}
