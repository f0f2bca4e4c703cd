use kiln_rootfs::{Content, RootPath};
use serde::Deserialize;

use crate::{Error, content};

/// This file, by which packages are told apart.
pub(super) const CODE: &str = include_str!("manifest.rs");
/// Bytes of a `package.json` that are read; a longer one says nothing.
const MANIFEST_MAX: u64 = 4 << 20;

/// What a package says that it is.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Manifest {
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
}

impl Manifest {
    /// Reads the `package.json` of a package. What is no such document says nothing.
    pub(super) fn read(path: &RootPath, content: &Content) -> Result<Self, Error> {
        let bytes = content::read(path, content, MANIFEST_MAX)?;
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        Ok(serde_json::from_slice(text).unwrap_or_default())
    }
}
