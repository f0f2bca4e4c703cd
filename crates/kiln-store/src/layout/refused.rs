//! Images that a gate refused: listed without a name, so that the name stays with what passed last, and with what they wanted to be.

use kiln_oci::Descriptor;
use serde::Serialize;

use crate::index::{self, bare};
use crate::{Error, Layout};

const NAME: &str = "dev.kiln.refused.name";
const BY: &str = "dev.kiln.refused.by";

/// What an image was refused for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The name that it would have got.
    pub name: String,
    /// Ids of the checks that did not pass.
    pub by: Vec<String>,
}

impl Refused {
    /// What an entry says of it.
    pub(crate) fn of(entry: &Descriptor) -> Option<Self> {
        let by = entry.annotations.get(BY).map(String::as_str).unwrap_or_default();
        let by = by.split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect();
        Some(Self { name: entry.annotations.get(NAME)?.clone(), by })
    }
}

impl Layout {
    /// Lists an image that was refused, in place of the one that was refused under this name before. It goes with what no name leads to.
    pub fn keep_refused(&self, manifest: &Descriptor, refused: &Refused) -> Result<(), Error> {
        let naming = self.naming();
        index::update(self.folder(), self.durability(), |index| {
            index.manifests.retain(|entry| {
                Refused::of(entry).is_none_or(|old| {
                    entry.digest != manifest.digest && !naming.are_one(&old.name, &refused.name)
                })
            });
            let mut entry = bare(manifest.clone());
            entry.annotations.insert(NAME.to_owned(), refused.name.clone());
            entry.annotations.insert(BY.to_owned(), refused.by.join(","));
            index.manifests.push(entry);
        })
    }
}
