use kiln_oci::Digest;
use kiln_pkg::{Inventory, Purl};

/// What an SBOM is about: an image, or a folder.
#[derive(Clone, Debug)]
pub struct DocumentSubject {
    /// Its name without tag and digest, as `registry.example/team/app`; of a folder, its own name.
    pub name: String,
    /// Its tag, where it has one.
    pub tag: Option<String>,
    /// Digest of its manifest; a folder has none.
    pub digest: Option<Digest>,
    /// CPU architecture in Go's names, of an image.
    pub arch: Option<String>,
}

impl DocumentSubject {
    /// The package URL of the image. Source: purl-spec, type `oci`.
    pub fn purl(&self) -> Option<Purl> {
        let digest = self.digest?;
        let name = self.name.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let mut purl =
            Purl { kind: "oci".to_owned(), name, version: Some(digest.to_string()), ..Purl::default() };
        purl.qualifiers.extend(self.arch.clone().map(|arch| ("arch".to_owned(), arch)));
        purl.qualifiers.extend(self.tag.clone().map(|tag| ("tag".to_owned(), tag)));
        if self.name.contains('/') {
            purl.qualifiers.insert("repository_url".to_owned(), self.name.to_ascii_lowercase());
        }
        Some(purl)
    }

    /// What tells it from every other subject, as far as it can be told.
    pub(crate) fn id(&self) -> String {
        self.purl().map_or_else(|| format!("folder:{}", self.name), |purl| purl.to_string())
    }
}

/// Everything an SBOM is written from.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    /// What it is about.
    pub subject: &'a DocumentSubject,
    /// What that holds.
    pub inventory: &'a Inventory,
    /// RFC 3339 time in UTC, to the second, that the document gives as its creation.
    pub created: &'a str,
    /// Version of kiln.
    pub tool_version: &'a str,
}

impl Document<'_> {
    /// What the ids that formats want unique are derived from. A folder may hold something else tomorrow.
    pub(crate) fn seed(&self) -> String {
        let content = if self.subject.digest.is_some() {
            String::new()
        } else {
            let keys: Vec<String> = self.inventory.packages.iter().map(kiln_pkg::Package::key).collect();
            Digest::of(keys.join("\n").as_bytes()).to_string()
        };
        format!("{} {} {content}", self.subject.id(), self.created)
    }
}
