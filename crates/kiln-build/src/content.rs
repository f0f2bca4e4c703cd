//! What is read of files' contents.

use std::fmt::Display;
use std::io::Read;

use kiln_rootfs::Content;

use crate::Error;
use crate::error::ErrorKind;

/// The bytes of a file, and no more than `most`; `path` is how an error calls it.
pub(crate) fn read(path: impl Display, content: &Content, most: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = content.open().and_then(|file| file.take(most).read_to_end(&mut bytes));
    read.map_err(|source| ErrorKind::Read { path: path.to_string(), source })?;
    Ok(bytes)
}
