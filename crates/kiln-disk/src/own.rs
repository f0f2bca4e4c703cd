//! Folders of kiln's own, and paths that the user names: what lies in the way was put there by them. Nothing of this is for
//! folders that hold content of others; those are a [`Dir`](crate::Dir).

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

/// Makes a folder and those above it, where they are missing.
pub fn folder(path: impl AsRef<Path>) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Makes a folder, which must not be there yet.
pub fn new_folder(path: impl AsRef<Path>) -> io::Result<()> {
    fs::create_dir(path)
}

/// Makes a folder that only its owner may enter, which must not be there yet.
pub fn private_folder(path: impl AsRef<Path>) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(path)
}

/// Gives something another name, in place of what has that name.
pub fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
    fs::rename(from, to)
}

/// Removes a file, or a link itself.
pub fn remove_file(path: impl AsRef<Path>) -> io::Result<()> {
    fs::remove_file(path)
}

/// Removes a folder that is empty.
pub fn remove_empty(path: impl AsRef<Path>) -> io::Result<()> {
    fs::remove_dir(path)
}

/// Makes a symbolic link, which must not be there yet.
pub fn symlink(target: &Path, path: impl AsRef<Path>) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

/// Changes the permissions of a file or folder.
pub fn set_mode(path: impl AsRef<Path>, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Gives a file, a folder or a link itself to a user and a group.
pub fn give(path: impl AsRef<Path>, uid: u32, gid: u32) -> io::Result<()> {
    std::os::unix::fs::lchown(path, Some(uid), Some(gid))
}
