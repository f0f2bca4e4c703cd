//! The table of catalogers. Each is one file: which paths it wants, by name only, and how it reads them.

mod apk;
mod apk_repositories;
mod binary;
mod bundle;
mod cargo_audit;
pub(crate) mod cataloger;
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
mod other_lists;
mod ownable;
mod pnp;
mod python;
mod reader;
mod source_map;
mod yarn_integrity;
mod zip_cache;
mod zip_stream;

use cataloger::{Candidate, Cataloger};
pub(crate) use copyright::documented;
pub(crate) use npm_package::is_package_folder;
pub(crate) use other_lists::{CARGO, GO, NPM, PYTHON};
pub(crate) use pnp::{answered_by, is_table};

/// Number of this catalog: it is another one whenever the code or the data of this crate is. Facts that were stored under another
/// number are read again.
pub const CATALOG: u64 = number(env!("KILN_CATALOG"));

static CATALOGERS: &[&Cataloger] = &[
    &apk::CATALOGER,
    &apk_repositories::CATALOGER,
    &bundle::CATALOGER,
    &copyright::CATALOGER,
    &dpkg::CATALOGER,
    &dpkg_files::CATALOGER,
    &java::CATALOGER,
    &node_binary::CATALOGER,
    &npm_lock::CATALOGER,
    &npm_package::CATALOGER,
    &os_release::CATALOGER,
    &other_lists::CATALOGER,
    &pnp::CATALOGER,
    &python::CATALOGER,
    &source_map::CATALOGER,
    &yarn_integrity::CATALOGER,
    &zip_cache::CATALOGER,
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

/// Paths that catalogers want, some of each.
pub fn cataloger_examples() -> impl Iterator<Item = &'static str> {
    CATALOGERS.iter().copied().chain([PROGRAMS]).flat_map(|cataloger| cataloger.examples).copied()
}

/// The number that the build script wrote.
const fn number(decimal: &str) -> u64 {
    match u64::from_str_radix(decimal, 10) {
        Ok(number) => number,
        Err(_) => panic!("the build script writes a number"),
    }
}

#[cfg(test)]
mod tests;
