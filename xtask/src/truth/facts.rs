use std::collections::BTreeMap;

use kiln_pkg::{Ecosystem, Package, Source};
use serde::Deserialize;

/// What `xtask/truth.toml` knows of labelled images and packages.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Facts {
    images: BTreeMap<String, String>,
    deb: BTreeMap<String, Vec<String>>,
    apk: BTreeMap<String, Vec<String>>,
    renamed: BTreeMap<String, BTreeMap<String, String>>,
}

impl Facts {
    pub(super) fn read(text: &str) -> anyhow::Result<Self> {
        Ok(toml::from_str(text)?)
    }

    /// The distribution of an image, as `debian-11`.
    pub(super) fn distro(&self, image: &str) -> Option<&str> {
        let digest = image.split_once("@sha256:")?.1;
        self.images.iter().find(|(start, _)| digest.starts_with(start.as_str())).map(|(_, tag)| tag.as_str())
    }

    /// The operating-system package of this name and version; labels say nothing of origins, and a package is only taken for one
    /// if its version has the shape of the distribution's.
    pub(super) fn package(&self, distro: &str, name: &str, version: &str) -> Option<Package> {
        let is_deb = distro.starts_with("debian");
        let has_shape = if is_deb {
            version.contains('-') || version.contains("deb") || name == "apt"
        } else {
            version.rsplit_once("-r").is_some_and(|(_, revision)| revision.parse::<u32>().is_ok())
        };
        let ecosystem = if is_deb { Ecosystem::Deb } else { Ecosystem::Apk };
        let renamed = self.renamed.get(distro).and_then(|names| names.get(name));
        let table = if is_deb { &self.deb } else { &self.apk };
        let built_from = table.iter().find(|(_, built)| built.iter().any(|built| built == name));
        let source = renamed.or(built_from.map(|(source, _)| source)).map_or(name, String::as_str);
        // A rebuild without changes (`+b1`) has the source's version.
        let source_version =
            version.rsplit_once("+b").filter(|(_, build)| is_deb && build.parse::<u32>().is_ok());
        let version_of_source = source_version.map_or(version, |(version, _)| version);
        has_shape.then(|| Package {
            distro: Some(distro.to_owned()),
            source: Some(Source { name: source.to_owned(), version: version_of_source.to_owned() }),
            ..Package::new(ecosystem, name, version)
        })
    }
}
