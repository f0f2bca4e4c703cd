use kiln_oci::Digest;

/// What a list says of something that lies beside an image and could not be looked at. Whoever wrote the list may have said anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unseen {
    /// The image that it lies beside, or the index that holds it, where that is known.
    pub about: Option<Digest>,
    /// What kind of statement it makes, where that is said.
    pub predicate_type: Option<String>,
    /// When it was made, in seconds since 1970, where that is said.
    pub since: Option<i64>,
}
