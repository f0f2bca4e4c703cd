use kiln_oci::Digest;
use serde::{Deserialize, Serialize};

use crate::{Ecosystem, Licence, Purl};

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
    /// Licence as declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<Licence>,
    /// Needed for development only, where the installer said so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dev: bool,
    /// Name of the operating-system package that owns these files; its distribution answers for the vulnerabilities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Version of OpenSSL linked into it, for the Node.js runtime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openssl: Option<String>,
    /// Names it declares as needed at run time: Debian `Depends` (the alternatives joined by `|`), npm `dependencies`
    /// and `optionalDependencies`. Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// Packages of the same inventory that meet `requires`, by [`Package::key`]. Sorted; filled when layers are combined.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// Where it was found. Sorted by path.
    pub places: Vec<Place>,
}

/// A source package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Source {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
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
            licence: None,
            dev: false,
            owner: None,
            openssl: None,
            requires: Vec::new(),
            depends_on: Vec::new(),
            places: Vec::new(),
        }
    }

    /// What tells it from every other package of an inventory: its purl as text.
    pub fn key(&self) -> String {
        self.purl().to_string()
    }

    /// The package URL that other scanners match by. Source: purl-spec, type definitions `deb`, `apk`, `npm`, `generic`.
    pub fn purl(&self) -> Purl {
        let (kind, namespace, name) = match self.ecosystem {
            Ecosystem::Deb => ("deb", Some(self.distro_id("debian")), self.name.clone()),
            Ecosystem::Apk => ("apk", Some(self.distro_id("alpine")), self.name.clone()),
            Ecosystem::Node => ("generic", None, self.name.clone()),
            Ecosystem::Npm => match self.name.split_once('/') {
                Some((scope, name)) => ("npm", Some(scope.to_owned()), name.to_owned()),
                None => ("npm", None, self.name.clone()),
            },
        };
        let mut purl = Purl { kind: kind.to_owned(), namespace, name, ..Purl::default() };
        purl.version = (!self.version.is_empty()).then(|| self.version.clone());
        if matches!(self.ecosystem, Ecosystem::Deb | Ecosystem::Apk) {
            purl.qualifiers.extend(self.arch.clone().map(|arch| ("arch".to_owned(), arch)));
            purl.qualifiers.extend(self.distro.clone().map(|distro| ("distro".to_owned(), distro)));
            purl.qualifiers.extend(self.upstream().map(|upstream| ("upstream".to_owned(), upstream)));
        }
        purl
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
