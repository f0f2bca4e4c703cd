use kiln_oci::Digest;
use kiln_text::Checksum;
use serde::{Deserialize, Serialize};

use crate::{Ecosystem, Elsewhere, Licence, Purl};

/// One installed package of one version, wherever it is installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Where it comes from.
    pub ecosystem: Ecosystem,
    /// Name in its ecosystem, with the scope for npm (`@scope/name`).
    pub name: String,
    /// Version as its ecosystem writes it, with the epoch for Debian.
    pub version: String,
    /// The source package it was built from, for distributions that publish advisories by source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// CPU architecture in the ecosystem's names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arch: Option<String>,
    /// Distribution and release for operating-system packages, as `debian-13`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distro: Option<String>,
    /// Who built it (Debian's `Maintainer`), as declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplier: Option<String>,
    /// Who built the package of a distribution, as far as it tells.
    #[serde(default, skip_serializing_if = "Packager::is_distribution")]
    pub packager: Packager,
    /// Where its code is from, where that is not the registry of its ecosystem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<Elsewhere>,
    /// Licence as declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<Licence>,
    /// Needed for development only, where the installer said so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dev: bool,
    /// Name of the operating-system package that owns these files. For Node.js its distribution answers for the
    /// vulnerabilities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What is built into it, for a runtime: OpenSSL and zlib inside Node.js. They have no advisories of their own here; those
    /// of the whole answer for them. Sorted by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// The tool whose installation brings every place of it (`npm`, `corepack`, `yarn`, `pnpm`): who removes the tool
    /// removes the package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whether it may be missing: only optional dependencies lead to it, where the lock file said so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// Checksums its publisher or installer gave. Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checksums: Vec<Checksum>,
    /// Whether it came with the base image or was added to it; `None` where the image does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Names it declares as needed at run time: Debian `Depends` (the alternatives joined by `|`), npm `dependencies`,
    /// `optionalDependencies` and `peerDependencies`, of an app `devDependencies`, too; Python `Requires-Dist`. Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// Names it answers to beside its own: Debian and apk `Provides`. Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provides: Vec<String>,
    /// Packages of the same inventory that meet `requires`, by [`Package::key`]. Sorted; filled when layers are combined.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// The direct dependencies of the app that bring it in, as `name@version`; its own where it is one itself. Sorted;
    /// filled when layers are combined.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub direct: Vec<String>,
    /// Where it was found. Sorted by path.
    pub places: Vec<Place>,
}

/// Who built the package of a distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Packager {
    /// The distribution, or nothing says otherwise.
    #[default]
    Distribution,
    /// Nothing says who: it may be the distribution's or a vendor's.
    Unsaid,
    /// Somebody else: a vendor, or whoever built it for themselves.
    Other,
}

impl Packager {
    /// Every value.
    pub const ALL: [Self; 3] = [Self::Distribution, Self::Unsaid, Self::Other];

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
    fn is_distribution(&self) -> bool {
        *self == Self::Distribution
    }
}

/// A source package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Source {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
}

/// What is built into a runtime.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Part {
    /// Name as the runtime gives it (`process.versions` of Node.js).
    pub name: String,
    /// Version.
    pub version: String,
}

/// Whether something came with the base image or was added to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// A layer of the base image.
    Base,
    /// A layer on top of the base image.
    App,
}

/// A file of an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Path in the image, without leading slash.
    pub path: String,
    /// Digest of the uncompressed layer (diff id) that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<Digest>,
}

impl Package {
    /// A package of which nothing else is known.
    pub fn new(ecosystem: Ecosystem, name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            ecosystem,
            name: name.into(),
            version: version.into(),
            source: None,
            arch: None,
            distro: None,
            supplier: None,
            packager: Packager::Distribution,
            elsewhere: None,
            licence: None,
            dev: false,
            owner: None,
            parts: Vec::new(),
            group: None,
            optional: false,
            checksums: Vec::new(),
            origin: None,
            requires: Vec::new(),
            provides: Vec::new(),
            depends_on: Vec::new(),
            direct: Vec::new(),
            places: Vec::new(),
        }
    }

    /// What tells it from every other package of an inventory: its purl as text.
    pub fn key(&self) -> String {
        self.purl().to_string()
    }

    /// The package URL that other scanners match by. Source: purl-spec, type definitions `deb`, `apk`, `npm`,
    /// `generic`, `golang`, `pypi`, `cargo`, `maven`.
    pub fn purl(&self) -> Purl {
        let (kind, namespace, name) = match self.ecosystem {
            Ecosystem::Deb => ("deb", Some(self.distro_id("debian")), self.name.clone()),
            Ecosystem::Apk => ("apk", Some(self.distro_id("alpine")), self.name.clone()),
            Ecosystem::Node => ("generic", None, self.name.clone()),
            Ecosystem::Npm => {
                let (scope, name) = parted(self.name.split_once('/'), &self.name);
                ("npm", scope, name)
            }
            Ecosystem::Go => {
                let (folder, name) = parted(self.name.rsplit_once('/'), &self.name);
                ("golang", folder, name)
            }
            Ecosystem::PyPi => ("pypi", None, crate::version::pypi::normal_name(&self.name)),
            Ecosystem::Cargo => ("cargo", None, self.name.clone()),
            Ecosystem::Maven => {
                let (group, artifact) = parted(self.name.split_once(':'), &self.name);
                ("maven", group, artifact)
            }
        };
        let mut purl = Purl { kind: kind.to_owned(), namespace, name, ..Purl::default() };
        purl.version = (!self.version.is_empty()).then(|| self.version.clone());
        if matches!(self.ecosystem, Ecosystem::Deb | Ecosystem::Apk) {
            purl.qualifiers.extend(self.arch.clone().map(|arch| ("arch".to_owned(), arch)));
            purl.qualifiers.extend(self.distro.clone().map(|distro| ("distro".to_owned(), distro)));
            purl.qualifiers.extend(self.upstream().map(|upstream| ("upstream".to_owned(), upstream)));
        }
        let from = self.elsewhere.as_ref().and_then(Elsewhere::qualifier);
        purl.qualifiers.extend(from.map(|(key, value)| (key.to_owned(), value)));
        purl
    }

    /// The version of what is built into it under this name.
    pub fn part(&self, name: &str) -> Option<&str> {
        self.parts.iter().find(|part| part.name == name).map(|part| part.version.as_str())
    }

    /// Name by which advisories know it: the source package's, or its own.
    pub fn advisory_name(&self) -> &str {
        self.source.as_ref().map_or(&self.name, |source| &source.name)
    }

    /// Version by which advisories know it: the source package's, or its own.
    pub fn advisory_version(&self) -> &str {
        self.source.as_ref().map_or(&self.version, |source| &source.version)
    }

    fn distro_id(&self, default: &str) -> String {
        let id = self.distro.as_deref().map(|distro| distro.rsplit_once('-').map_or(distro, |(id, _)| id));
        id.unwrap_or(default).to_owned()
    }

    /// `source` or `source@version`, whatever differs from the package itself.
    fn upstream(&self) -> Option<String> {
        let source = self.source.as_ref()?;
        if source.version != self.version {
            return Some(format!("{}@{}", source.name, source.version));
        }
        (source.name != self.name).then(|| source.name.clone())
    }
}

fn parted(parts: Option<(&str, &str)>, whole: &str) -> (Option<String>, String) {
    match parts {
        Some((namespace, name)) => (Some(namespace.to_owned()), name.to_owned()),
        None => (None, whole.to_owned()),
    }
}
