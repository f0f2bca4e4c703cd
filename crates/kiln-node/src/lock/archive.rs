//! What is fetched, whatever a lock file calls it.

use kiln_pkg::{Elsewhere, NpmArchive};

use crate::LockedPackage;

impl LockedPackage {
    /// Takes in the address that the package manager fetches this package from: where that is the archive of a registry, what is in it;
    /// else where that is. An entry without a version stays one.
    pub(super) fn fetched_from(&mut self, address: &str) {
        if let Some(from) = Elsewhere::of_fetched(address, &self.name, &self.version) {
            self.elsewhere = Some(from);
        } else if let Some(archive) = NpmArchive::of(address) {
            self.name = archive.name;
            if !self.version.is_empty() {
                self.version = archive.version;
            }
        }
    }
}
