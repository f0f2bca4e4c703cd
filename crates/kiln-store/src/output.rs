use std::path::Path;

use kiln_disk::{Durability, replace, sweep};

use crate::Error;

/// Writes a file that a user asked for, so that readers see the old or the new one, whole, even after a power failure. What a
/// killed command left beside it goes.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    sweep(path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")));
    replace(path, bytes, Durability::Power).map_err(Error::io("write", path))
}
