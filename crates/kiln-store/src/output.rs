use std::io;
use std::path::Path;

use kiln_disk::{Durability, Links, replace, replace_from, sweep};

use crate::Error;

/// Writes a file of an app or of kiln's own, so that readers see the old or the new one, whole, even after a power failure. A
/// link is replaced: it may lead anywhere. What a killed command left beside it goes.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    sweep(path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")));
    replace(path, bytes, Durability::Power).map_err(Error::io("write", path))
}

/// Writes what a user wants where they say, be it a file, a pipe or a device: see [`kiln_disk::Output`].
pub fn write_output(path: &Path, bytes: &[u8], links: Links) -> Result<(), Error> {
    kiln_disk::write_output(path, bytes, links).map_err(Error::io("write", path))
}

/// Writes a file of the folder `root`, as [`replace_file`] does, from the one folder in it that has what is in the making.
pub(crate) fn replace_in(
    root: &Path,
    path: &Path,
    bytes: &[u8],
    durability: Durability,
) -> Result<(), Error> {
    let ingest = root.join("ingest");
    let written = replace_from(&ingest, path, bytes, durability).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            kiln_disk::own::folder(&ingest)?;
            replace_from(&ingest, path, bytes, durability)
        }
        // A part of the folder is another file system.
        io::ErrorKind::CrossesDevices => replace(path, bytes, durability),
        _ => Err(error),
    });
    written.map_err(Error::io("write", path))
}
