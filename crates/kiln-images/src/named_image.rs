use kiln_finding::Failure;
use kiln_image::Image;
use kiln_oci::Descriptor;

use crate::located::Located;
use crate::machine::Machine;
use crate::place::Place;
use crate::platform::for_here;

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
    place: Place,
}

impl NamedImage {
    /// Opens what [`Located::find`] finds; of an image for several platforms, the one for this machine.
    pub fn open(machine: &Machine, text: &str) -> Result<Self, Failure> {
        Self::of(Located::find(machine, text)?, text)
    }

    /// The same, of this machine only; `None` where there is no such image here.
    pub fn open_here(machine: &Machine, text: &str) -> Result<Option<Self>, Failure> {
        // A name that no image can have is none.
        let found = Located::search(machine, text).ok().and_then(|(found, _)| found);
        found.map(|located| Self::of(located, text)).transpose()
    }

    fn of(located: Located, text: &str) -> Result<Self, Failure> {
        let Located { place, name, tag, descriptor } = located;
        let image = Image::read(&place, &for_here(&place, &descriptor)?)?;
        Ok(Self { text: text.to_owned(), name, tag, image, root: descriptor, place })
    }

    /// Where it lies.
    pub fn place(&self) -> &Place {
        &self.place
    }
}
