use kiln_rootfs::RootPath;

use crate::Error;
use crate::error::ErrorKind;

/// A path in an image, with `..` stopping at the root.
pub(crate) fn rooted(path: &str) -> Result<RootPath, Error> {
    RootPath::clamped(path).map_err(|source| ErrorKind::Tree { source }.into())
}
