use kiln_oci::Descriptor;

use crate::place::Place;

/// A manifest or index, and where it lies.
pub struct Located {
    /// Where it lies.
    pub place: Place,
    /// Name without tag and digest.
    pub name: String,
    /// The tag it was found by.
    pub tag: Option<String>,
    /// What the name stands for: an image, or an index.
    pub descriptor: Descriptor,
    /// For people: that it is not where its name says, and why.
    pub note: Option<String>,
}
