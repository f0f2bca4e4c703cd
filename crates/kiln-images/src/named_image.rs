use kiln_finding::Failure;
use kiln_image::Image;
use kiln_oci::{Descriptor, Platform};

use crate::find::Prefer;
use crate::located::Located;
use crate::machine::Machine;
use crate::place::Place;
use crate::platform::{for_here, for_platform};

/// An image that was found.
pub struct NamedImage {
    /// As the user wrote it.
    pub text: String,
    /// Name without tag and digest.
    pub name: String,
    /// The tag it was found by.
    pub tag: Option<String>,
    /// The image for one platform.
    pub image: Image,
    /// What the name stands for: the image, or an index that lists it.
    pub root: Descriptor,
    /// For people: that it is not where its name says, and why.
    pub note: Option<String>,
    place: Place,
}

impl NamedImage {
    /// Opens what [`Located::find`] finds; of an image for several platforms, the one for `platform`, else for this machine.
    pub fn open(
        machine: &Machine,
        text: &str,
        prefer: Prefer,
        platform: Option<&Platform>,
    ) -> Result<Self, Failure> {
        Self::of(Located::find(machine, text, prefer)?, text, platform)
    }

    /// The same, of this machine only; `None` where there is no such image here.
    pub fn open_here(machine: &Machine, text: &str) -> Result<Option<Self>, Failure> {
        // A name that no image can have is none.
        let found = Located::search(machine, text).ok().and_then(|(found, _)| found);
        found.map(|located| Self::of(located, text, None)).transpose()
    }

    fn of(located: Located, text: &str, platform: Option<&Platform>) -> Result<Self, Failure> {
        let Located { place, name, tag, descriptor, note } = located;
        let wanted = match platform {
            Some(platform) => for_platform(&place, &descriptor, platform, text)?,
            None => for_here(&place, &descriptor)?,
        };
        let image = Image::read(&place, &wanted)?;
        Ok(Self { text: text.to_owned(), name, tag, image, root: descriptor, note, place })
    }

    /// Where it lies.
    pub fn place(&self) -> &Place {
        &self.place
    }
}
