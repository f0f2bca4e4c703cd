use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use kiln_disk::{Dir, Located, Writer};
use kiln_rootfs::{Entry, Kind, RootPath, Tree};

use crate::Error;

/// Writes a tree into `folder`, which must be empty or missing. Owners are not applied: inside the sandbox
/// everything belongs to root. Folders can always be entered and changed by the user who runs kiln.
///
/// Nothing can escape: everything is made in the folder by its descriptor, and no link is gone through.
pub fn unpack(tree: &Tree, folder: &Path) -> Result<(), Error> {
    let root = Dir::create(folder).map_err(Error::io("create the folder", folder))?;
    let mut writer = Writer::new(&root);
    for (path, entry) in tree.iter().filter(|(path, _)| !path.is_root()) {
        write(&root, &mut writer, path, entry)
            .map_err(|source| Error::io("write", &root.place_of(path))(source))?;
    }
    Ok(())
}

fn write(root: &Dir, writer: &mut Writer<'_>, path: &RootPath, entry: &Entry) -> io::Result<()> {
    let mode = entry.attrs.mode & 0o777;
    let set = |file: File, mode| file.set_permissions(Permissions::from_mode(mode));
    match &entry.kind {
        Kind::Dir => {
            writer.dir(path)?;
            set(root.handle(path)?, mode | 0o700)
        }
        Kind::Symlink(link) => writer.symlink(path, link),
        Kind::Hardlink(other) => writer.hard_link(path, other),
        Kind::File(content) => {
            let mut file = writer.file(path)?;
            match Located::of(content) {
                // From file to file, the copy may share the bytes, where the file system can.
                Some(located) => io::copy(&mut located.file()?, &mut file)?,
                None => io::copy(&mut content.open()?, &mut file)?,
            };
            set(file, mode)
        }
    }
}

/// Removes a folder and all below it, also what an overlay left without permissions. A missing folder is fine.
pub fn remove(folder: &Path) -> Result<(), Error> {
    kiln_disk::remove(folder).map_err(Error::io("remove", folder))
}
