//! Names of images in kiln's own store: whatever a name's spelling, it is one image; what is shown is what was written last.

use kiln_oci::Descriptor;

use crate::index::{self, Naming, REF_NAME};
use crate::layout::belief::Belief;
use crate::{Error, Layout};

/// Says that the registry of its name has the image, too: it was pulled from there or pushed there since it was named.
const IN_REGISTRY: &str = "dev.kiln.in-registry";

impl Layout {
    /// A layout that is kiln's own has names of images, others have tags.
    pub(super) fn naming(&self) -> Naming {
        match self.belief() {
            Belief::Checked(_) => Naming::Images,
            Belief::Nothing => Naming::Written,
        }
    }

    /// The entry of this name: as it is written, else in another spelling.
    pub(super) fn entry(&self, entries: &[Descriptor], wanted: &str) -> Option<Descriptor> {
        let name = |entry: &Descriptor| entry.annotations.get(REF_NAME).cloned().unwrap_or_default();
        let exact = entries.iter().position(|entry| name(entry) == wanted);
        let at =
            exact.or_else(|| entries.iter().position(|entry| self.naming().are_one(&name(entry), wanted)));
        entries.get(at?).cloned()
    }

    /// Notes that the registry of a name has the image that it stands for here.
    pub fn note_in_registry(&self, name: &str, manifest: &Descriptor) -> Result<(), Error> {
        let naming = self.naming();
        index::update(self.folder(), self.durability(), |index| {
            for entry in &mut index.manifests {
                let is_named = entry.annotations.get(REF_NAME).is_some_and(|own| naming.are_one(own, name));
                if is_named && entry.digest == manifest.digest {
                    entry.annotations.insert(IN_REGISTRY.to_owned(), "true".to_owned());
                }
            }
        })
    }

    /// Whether the registry of a name is known to have the image that it stands for here.
    pub fn is_in_registry(&self, name: &str) -> Result<bool, Error> {
        let entry = self.entry(&index::read(self.folder())?.manifests, name);
        Ok(entry.is_some_and(|entry| entry.annotations.contains_key(IN_REGISTRY)))
    }
}
