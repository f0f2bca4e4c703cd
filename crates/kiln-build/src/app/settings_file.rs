//! Files of settings as small texts.

use kiln_rootfs::{Content, Entry, Kind, RootPath};

use crate::{Error, content};

/// The largest file of settings that is read, in bytes.
const SETTINGS_MAX: u64 = 1 << 20;

/// Settings that are no small text in their format.
pub(super) fn unfit(path: &RootPath) -> Error {
    let help = format!("`{path}` is a file, and a small text in its format");
    Error::refused(format!("the settings of the app in `{path}` cannot be read"), Some(help))
}

/// The same file with another text.
pub(super) fn replaced(entry: &Entry, text: String) -> Entry {
    Entry { attrs: entry.attrs.clone(), kind: Kind::File(Content::Bytes(text.into_bytes().into())) }
}

/// The text of a file of settings; `None` where it is none, or too large.
pub(super) fn read(path: &RootPath, settings: &Content) -> Result<Option<String>, Error> {
    let bytes = content::read(path, settings, SETTINGS_MAX + 1)?;
    Ok(if bytes.len() as u64 > SETTINGS_MAX { None } else { String::from_utf8(bytes).ok() })
}
