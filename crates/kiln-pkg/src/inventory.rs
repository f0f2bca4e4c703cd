use kiln_oci::Digest;
use serde::{Deserialize, Serialize};

use crate::{Ecosystem, Indicator, Origin, Package, Secret};

/// What an image holds, as far as it could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// The distribution, where the image says which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distro: Option<Distro>,
    /// Installed packages, the Node.js runtime among them. Sorted by ecosystem, name, version.
    pub packages: Vec<Package>,
    /// Indicators in the finished image: files that matter for hardening. Sorted.
    pub indicators: Vec<Indicator>,
    /// Credentials in any layer, also where a later layer deletes the file. Sorted.
    pub secrets: Vec<Secret>,
    /// What could not be read. An inventory with entries here is not complete, and nobody may call it clean.
    pub unread: Vec<Unread>,
    /// Code that may be there and that no package tells of. Sorted by path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<Unseen>,
    /// What the reader should know and what does not make the inventory incomplete: which of two sources was believed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The layers this was read from, lowest first; none for a folder.
    pub layers: Vec<Layer>,
}

/// A layer of the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Digest of the uncompressed layer.
    pub diff_id: Digest,
    /// What made it: the instruction, as the image's history tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// Whether it belongs to the base image; `None` where the image does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

impl Layer {
    /// A layer of which only its digest is known.
    pub fn new(diff_id: Digest) -> Self {
        Self { diff_id, created_by: None, origin: None }
    }
}

impl Inventory {
    /// The packages of one ecosystem.
    pub fn of(&self, ecosystem: Ecosystem) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(move |package| package.ecosystem == ecosystem)
    }

    /// The layer with this digest.
    pub fn layer(&self, diff_id: &Digest) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.diff_id == *diff_id)
    }

    /// What could not be read, and what may be there unseen: for documents that have one list of it.
    pub fn all_unread(&self) -> Vec<Unread> {
        let unseen = self.unseen.iter().map(|unseen| Unread {
            path: unseen.path.clone(),
            reader: "bundle".to_owned(),
            why: unseen.describe(),
        });
        self.unread.iter().cloned().chain(unseen).collect()
    }

    /// The Node.js runtimes in the image.
    pub fn node(&self) -> impl Iterator<Item = &Package> {
        self.of(Ecosystem::Node)
    }
}

/// Something that was found but could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unread {
    /// The file, or the layer's digest where the layer itself is broken.
    pub path: String,
    /// Which reader gave up.
    pub reader: String,
    /// Why, as a fragment that fits after "could not be read: ".
    pub why: String,
}

/// Code of others that may be in an app, and of which no package tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unseen {
    /// The folder of the app; `/` where no manifest tells which.
    pub path: String,
    /// What its manifest asks for and is not installed. Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub declared: Vec<String>,
    /// Files into which a bundler built others, some of them. Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bundles: Vec<String>,
    /// Files of an app that asks for a bundler, of which nothing tells whether it wrote them, some of them. Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub may_be_bundles: Vec<String>,
    /// Packages that were built into these by what their source maps say, some of them. Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub built_in: Vec<String>,
    /// Folders and files in `node_modules` that hold code and that no `package.json` names, some of them. Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nameless: Vec<String>,
    /// Lists of packages of others than npm that are not read, some of them. Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_lists: Vec<String>,
}

/// Names of a list that are told.
const TOLD: usize = 5;

impl Unseen {
    /// Nothing yet, in this folder.
    pub fn at(folder: &str) -> Self {
        let path = if folder.is_empty() { "/" } else { folder }.to_owned();
        Self { path, ..Self::default() }
    }

    /// Whether it looks as if code was built into a file, or may have been.
    pub fn is_bundled(&self) -> bool {
        !self.bundles.is_empty() || !self.may_be_bundles.is_empty()
    }

    /// Whether code lies there that has no name, or is listed and not looked at, or is asked for and lies nowhere; what was built in may be just that.
    pub fn is_uncovered(&self) -> bool {
        let is_there = !self.nameless.is_empty() || !self.other_lists.is_empty();
        is_there || !self.declared.is_empty() && self.bundles.is_empty()
    }

    /// Takes back what is said of bundles: what they were built from is known.
    pub fn forget_bundles(&mut self) {
        self.bundles.clear();
        self.may_be_bundles.clear();
        self.built_in.clear();
    }

    /// What is not known, as a sentence about `path`.
    pub fn describe(&self) -> String {
        let told = |names: &[String]| {
            let more = names.len().saturating_sub(TOLD);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{}{more}", names.iter().take(TOLD).cloned().collect::<Vec<_>>().join(", "))
        };
        let declared = (!self.declared.is_empty())
            .then(|| format!("its manifest asks for {}, which is not installed", told(&self.declared)));
        let bundles = (!self.bundles.is_empty())
            .then(|| format!("{} looks as if code of other packages was built into it", told(&self.bundles)));
        let may_be = (!self.may_be_bundles.is_empty()).then(|| {
            let files = told(&self.may_be_bundles);
            format!("code of other packages may be built into {files}, as its manifest asks for a bundler")
        });
        let built_in = (!self.built_in.is_empty())
            .then(|| format!("its source maps name {}, in no version", told(&self.built_in)));
        let nameless = (!self.nameless.is_empty())
            .then(|| format!("{} holds code and no package.json that says whose", told(&self.nameless)));
        let others = (!self.other_lists.is_empty())
            .then(|| format!("what {} lists was not looked at", told(&self.other_lists)));
        declared
            .into_iter()
            .chain(nameless)
            .chain(bundles)
            .chain(may_be)
            .chain(built_in)
            .chain(others)
            .collect::<Vec<_>>()
            .join("; ")
    }
}

/// A distribution as its `os-release` names it. Source: os-release(5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distro {
    /// `ID`, as `debian`.
    pub id: String,
    /// `VERSION_ID`, as `13`; empty for rolling ones.
    pub version: String,
    /// `PRETTY_NAME`.
    pub name: String,
}

impl Distro {
    /// `debian-13`, the form purls carry; the bare id where there is no version.
    pub fn tag(&self) -> String {
        if self.version.is_empty() { self.id.clone() } else { format!("{}-{}", self.id, self.version) }
    }
}
