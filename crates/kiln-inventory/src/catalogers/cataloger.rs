//! What a cataloger is, and what it is asked.

use std::io::Read;

use crate::facts::FileFacts;

/// A file that may be worth reading.
pub(crate) struct Candidate<'a> {
    pub(crate) path: &'a str,
    /// Bytes; `u64::MAX` where it is not known.
    pub(crate) size: u64,
    pub(crate) mode: u32,
}

/// Reads one kind of file. `read` fails with why, as a fragment that fits after "could not be read: ".
pub(crate) struct Cataloger {
    pub(crate) name: &'static str,
    /// Paths of such files, one of each kind.
    pub(crate) examples: &'static [&'static str],
    pub(crate) wants: fn(&Candidate<'_>) -> bool,
    pub(crate) read: fn(&Candidate<'_>, &mut dyn Read, &mut FileFacts) -> Result<(), String>,
}

/// Reads a whole file of at most `limit` bytes.
pub(crate) fn read_whole(content: &mut dyn Read, limit: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    content.take(limit + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > limit { Err(format!("it is larger than {limit} bytes")) } else { Ok(bytes) }
}
