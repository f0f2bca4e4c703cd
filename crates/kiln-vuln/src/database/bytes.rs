use std::borrow::Cow;

use kiln_finding::Cause;

use crate::Error;
use crate::error::ErrorKind;

/// A database that lies somewhere else and is read in parts.
pub trait ReadAt: Send + Sync {
    /// Exactly `length` bytes from `at` on.
    fn read(&self, at: u64, length: usize) -> Result<Vec<u8>, Cause>;
}

/// Bytes of one slice.
pub(super) type Slice<'a> = Cow<'a, [u8]>;

/// The bytes of a database.
pub(super) enum Content<'a> {
    Here(&'a [u8]),
    Elsewhere(Box<dyn ReadAt + 'a>),
}

impl<'a> Content<'a> {
    /// Exactly `length` bytes from `at` on. `length` must be capped by the caller.
    pub(super) fn part(&self, at: u64, length: usize) -> Result<Slice<'a>, Error> {
        match self {
            Self::Here(bytes) => {
                let at = usize::try_from(at).unwrap_or(usize::MAX);
                let part = bytes.get(at..).and_then(|rest| rest.get(..length));
                part.map(Cow::Borrowed).ok_or_else(|| Error::malformed("it ends early"))
            }
            Self::Elsewhere(from) => {
                Ok(Cow::Owned(from.read(at, length).map_err(|source| ErrorKind::Read { source })?))
            }
        }
    }
}
