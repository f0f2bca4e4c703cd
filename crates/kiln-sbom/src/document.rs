use kiln_oci::Digest;
use kiln_pkg::{Inventory, Purl};

/// What a bill of material is about: an image.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its name without tag and digest, as `registry.example/team/app`.
    pub name: String,
    /// Its tag, where it has one.
    pub tag: Option<String>,
    /// Digest of its manifest.
    pub digest: Digest,
    /// CPU architecture in Go's names.
    pub arch: String,
}

impl Subject {
    /// The package URL of the image. Source: purl-spec, type `oci`.
    pub fn purl(&self) -> Purl {
        let name = self.name.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let mut purl =
            Purl { kind: "oci".to_owned(), name, version: Some(self.digest.to_string()), ..Purl::default() };
        purl.qualifiers.insert("arch".to_owned(), self.arch.clone());
        purl.qualifiers.extend(self.tag.clone().map(|tag| ("tag".to_owned(), tag)));
        if self.name.contains('/') {
            purl.qualifiers.insert("repository_url".to_owned(), self.name.to_ascii_lowercase());
        }
        purl
    }
}

/// Everything a bill of material is written from.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    /// The image.
    pub subject: &'a Subject,
    /// What it holds.
    pub inventory: &'a Inventory,
    /// RFC 3339 time in UTC, to the second, that the document gives as its creation.
    pub created: &'a str,
    /// Version of kiln.
    pub tool_version: &'a str,
}
