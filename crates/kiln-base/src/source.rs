use std::fmt;

use kiln_finding::{Class, Diagnose};
use kiln_text::Checksum;

/// Where something lies; the path is relative to whatever address this machine uses for that kind of place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// In the main Debian archive: `dists/...`, `pool/...`.
    Archive(String),
    /// In the security archive.
    Security(String),
    /// In the npm registry: `name` for what is known of a package, `name/-/file.tgz` for a tarball.
    Npm(String),
}

impl Place {
    /// The path without the kind.
    pub fn path(&self) -> &str {
        match self {
            Self::Archive(path) | Self::Security(path) | Self::Npm(path) => path,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Archive(path) => write!(f, "{path} of the Debian archive"),
            Self::Security(path) => write!(f, "{path} of the Debian security archive"),
            Self::Npm(path) => write!(f, "{path} of the npm registry"),
        }
    }
}

/// A file that never changes.
#[derive(Clone, Debug)]
pub struct Item {
    /// How people know it: `libc6 2.41-12`.
    pub name: String,
    /// Where it lies.
    pub place: Place,
    /// Its size, where that is known.
    pub size: Option<u64>,
    /// What it must be.
    pub integrity: Checksum,
}

/// What this crate needs from the world.
pub trait Fetch {
    /// The present bytes of a document that changes, at most `cap` of them.
    fn document(&self, place: &Place, cap: u64) -> Result<Vec<u8>, FetchError>;

    /// Brings all of `items` onto this machine, so that reading them is quick.
    fn prepare(&self, items: &[Item]) -> Result<(), FetchError>;

    /// The bytes of one item. They are checked again by who asks.
    fn read(&self, item: &Item) -> Result<Vec<u8>, FetchError>;
}

/// Why [`Fetch`] could not deliver: an error of whoever implements it.
#[derive(Debug)]
pub struct FetchError {
    source: Box<dyn std::error::Error + Send + Sync>,
    code: &'static str,
    class: Class,
    help: Option<String>,
}

impl<E: Diagnose + Send + Sync + 'static> From<E> for FetchError {
    fn from(error: E) -> Self {
        Self { code: error.code(), class: error.class(), help: error.help(), source: Box::new(error) }
    }
}

impl FetchError {
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    pub(crate) fn class(&self) -> Class {
        self.class
    }

    pub(crate) fn help(&self) -> Option<String> {
        self.help.clone()
    }

    pub(crate) fn cause(&self) -> &(dyn std::error::Error + 'static) {
        &*self.source
    }
}
