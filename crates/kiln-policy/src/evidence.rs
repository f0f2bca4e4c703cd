use kiln_attest::SourceCommit;
use kiln_finding::Fact;
use kiln_oci::{Digest, ImageConfig};
use kiln_pkg::{Inventory, Unread};
use kiln_vuln::{Date, VulnerabilityReport};
use serde::{Deserialize, Serialize};

use crate::Unknown;
use crate::verdict::{need, unknown};

/// Everything that was observed about one image; the same value at a desk, in CI and at admission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What it is about.
    pub subject: EvidenceSubject,
    /// The day it is judged.
    pub today: Date,
    /// The image configuration.
    pub config: Fact<ImageConfig>,
    /// How big it is.
    pub size: Fact<Size>,
    /// What it holds.
    pub inventory: Fact<Inventory>,
    /// Which of that is vulnerable.
    pub vulnerabilities: Fact<VulnerabilityReport>,
    /// What the app's lock file says.
    pub lock: Fact<LockFacts>,
    /// What it is built on.
    pub base: Fact<BaseFacts>,
    /// Which state of the package archive the base was composed from.
    pub archive: Fact<ArchiveFacts>,
    /// The commit that its sources are of; none where they are of none.
    pub sources: Fact<Option<SourceCommit>>,
    /// The statements found with the image.
    pub attestations: Fact<Vec<Attested>>,
}

/// The image that is judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceSubject {
    /// Name as the user knows it.
    pub name: String,
    /// Digest of its manifest.
    pub digest: Digest,
    /// As `linux/amd64`.
    pub platform: String,
}

/// How big an image is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Sum of the layers as they travel, in bytes.
    pub compressed: u64,
    /// How many layers.
    pub layers: usize,
}

/// What a lock file says about the packages it pins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockFacts {
    /// The file; empty where the app declares no dependency, and so needs none.
    pub file: String,
    /// Packages from a registry that it pins without a hash, as `name@version`. Sorted.
    pub without_integrity: Vec<String>,
    /// Packages that only development needs, as `name@version`. Sorted.
    pub dev_packages: Vec<String>,
}

/// What an image is built on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseFacts {
    /// Name, as `kiln/node:24-debian13`.
    pub name: String,
    /// Digest of its manifest, where the build pinned one.
    pub digest: Option<Digest>,
    /// A lock in the project names its every input.
    pub locked: bool,
}

/// The signed package index that the newest versions were taken from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveFacts {
    /// Distribution and release, as `debian-13`.
    pub distribution: String,
    /// Date of the signed index, `YYYY-MM-DD`.
    pub as_of: String,
    /// Its age in days when the evidence was collected.
    pub age_days: u32,
}

/// A statement found with an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attested {
    /// Its predicate type; empty where it could not be read.
    pub predicate_type: String,
    /// Its signature is by the trusted key, and it is about this image.
    pub verified: bool,
    /// Who signed it, where it is verified; why it does not count, where it is not.
    pub detail: String,
}

impl Evidence {
    pub(crate) fn config(&self) -> Result<&ImageConfig, Unknown> {
        need(&self.config, "name an image whose configuration kiln can read")
    }

    pub(crate) fn inventory(&self) -> Result<&Inventory, Unknown> {
        need(&self.inventory, "kiln scan the image; every layer must be readable")
    }

    /// The inventory, where every package in it could be read.
    pub(crate) fn packages(&self) -> Result<&Inventory, Unknown> {
        let inventory = self.inventory()?;
        all_read(&inventory.unread)?;
        Ok(inventory)
    }

    pub(crate) fn lock(&self) -> Result<&LockFacts, Unknown> {
        need(&self.lock, "judge the image where its sources and lock file are, with kiln ship")
    }

    pub(crate) fn base(&self) -> Result<&BaseFacts, Unknown> {
        need(&self.base, "build with kiln, which labels the image with the name and digest of its base")
    }

    pub(crate) fn attestations(&self) -> Result<&[Attested], Unknown> {
        need(&self.attestations, "sign the image: kiln sign, or kiln ship").map(Vec::as_slice)
    }
}

/// Nothing, or that something could not be read.
pub(crate) fn all_read(unread: &[Unread]) -> Result<(), Unknown> {
    let Some(first) = unread.first() else { return Ok(()) };
    let more = if unread.len() > 1 { format!(", and {} more", unread.len() - 1) } else { String::new() };
    unknown(
        format!("{} could not be read ({}): {}{more}", first.path, first.reader, first.why),
        "remove or repair the files that could not be read, and build again",
    )
}
