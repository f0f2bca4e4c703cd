use kiln_pkg::{Elsewhere, Origin, Package, Packager, Part, Place};
use serde::{Deserialize, Serialize};

/// What kiln knows of a package and SPDX has no field for: the comment of an annotation, after [`MARK`].
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Extra {
    pub(crate) places: Vec<Place>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) dev: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) optional: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) elsewhere: Option<Elsewhere>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) packager: Option<Packager>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<Origin>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) direct: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) parts: Vec<Part>,
}

/// Start of such a comment.
pub(crate) const MARK: &str = "kiln: ";

impl Extra {
    pub(crate) fn of(package: &Package) -> Self {
        Self {
            places: package.places.clone(),
            dev: package.dev,
            optional: package.optional,
            owner: package.owner.clone(),
            elsewhere: package.elsewhere.clone(),
            packager: Some(package.packager).filter(|packager| *packager != Packager::Distribution),
            group: package.group.clone(),
            origin: package.origin,
            direct: package.direct.clone(),
            parts: package.parts.clone(),
        }
    }

    pub(crate) fn comment(&self) -> String {
        format!("{MARK}{}", serde_json::to_string(self).expect("plain values can be written"))
    }

    /// The facts in a comment; `None` where it is another's.
    pub(crate) fn read(comment: &str) -> Option<Self> {
        serde_json::from_str(comment.strip_prefix(MARK)?).ok()
    }

    pub(crate) fn put(self, package: &mut Package) {
        package.places = self.places;
        package.dev = self.dev;
        package.optional = self.optional;
        package.owner = self.owner;
        package.elsewhere = self.elsewhere.or(package.elsewhere.take());
        package.packager = self.packager.unwrap_or_default();
        package.group = self.group;
        package.origin = self.origin;
        package.direct = self.direct;
        package.parts = self.parts;
    }
}
