//! The table of catalogers. Each is one file: which paths it wants, by name only, and how it reads them.

mod apk;
mod binary;
mod cargo_audit;
mod copyright;
mod dpkg;
mod dpkg_files;
mod go_build;
mod java;
mod lines;
mod node_binary;
mod node_parts;
mod npm_lock;
mod npm_package;
mod os_release;
mod pnp;
mod python;
mod zip_stream;

use std::io::Read;

use crate::facts::FileFacts;

pub(crate) use copyright::documented;
pub(crate) use npm_package::is_package_folder;
pub(crate) use pnp::{answered_by, is_table};

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
    pub(crate) wants: fn(&Candidate<'_>) -> bool,
    pub(crate) read: fn(&Candidate<'_>, &mut dyn Read, &mut FileFacts) -> Result<(), String>,
}

static CATALOGERS: &[&Cataloger] = &[
    &apk::CATALOGER,
    &copyright::CATALOGER,
    &dpkg::CATALOGER,
    &dpkg_files::CATALOGER,
    &java::CATALOGER,
    &node_binary::CATALOGER,
    &npm_lock::CATALOGER,
    &npm_package::CATALOGER,
    &os_release::CATALOGER,
    &pnp::CATALOGER,
    &python::CATALOGER,
    &crate::secrets::FILES,
];

/// Whoever knows a file by its name reads it, also where someone made it executable; the rest may be programs.
static PROGRAMS: &Cataloger = &binary::CATALOGER;

/// The cataloger that wants the file. No two of the table want the same.
pub(crate) fn find(candidate: &Candidate<'_>) -> Option<&'static Cataloger> {
    let wants = |cataloger: &&Cataloger| (cataloger.wants)(candidate);
    CATALOGERS.iter().copied().find(wants).or_else(|| Some(PROGRAMS).filter(wants))
}

/// The names of all catalogers, as [`kiln_pkg::Unread`] gives them.
pub fn cataloger_names() -> impl Iterator<Item = &'static str> {
    CATALOGERS.iter().copied().chain([PROGRAMS]).map(|cataloger| cataloger.name)
}

/// Whether what lies at `path` may be read by a cataloger of packages, or start one: what a package owns of it is kept.
pub(crate) fn is_ownable(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let (name, folder) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let is_read = matches!(name, "package.json" | "METADATA" | "PKG-INFO") || java::is_archive(name);
    is_read || name.starts_with(node_binary::LIBRARY) || matches!(folder, "bin" | "sbin")
}

/// Reads a whole file of at most `limit` bytes.
pub(crate) fn read_whole(content: &mut dyn Read, limit: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    content.take(limit + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > limit { Err(format!("it is larger than {limit} bytes")) } else { Ok(bytes) }
}
