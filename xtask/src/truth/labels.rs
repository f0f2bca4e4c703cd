use std::collections::BTreeSet;

use kiln_pkg::{Ecosystem, Package};
use kiln_vuln::{Database, SliceInfo};
use serde::Deserialize;

use super::facts::Facts;

/// A judged pair of package and vulnerability.
pub(super) struct Label {
    /// The row of the table it counts in.
    pub(super) set: &'static str,
    /// What is asked; the label is about the last.
    pub(super) packages: Vec<Package>,
    /// The ids of the vulnerability.
    pub(super) ids: Vec<String>,
    /// The package is affected.
    pub(super) is_true: bool,
    pub(super) image: String,
}

impl Label {
    pub(super) fn about(&self) -> &Package {
        self.packages.last().expect("every label is made with a package")
    }
}

#[derive(Deserialize)]
struct ImageLabel {
    image: String,
    label: String,
    vuln: String,
    cve: Option<String>,
    name: Option<String>,
    version: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detection {
    #[serde(rename = "image_package")]
    origin: String,
    id: String,
    aliases: Vec<String>,
    component_name: String,
    component_version: Option<String>,
    component_type: String,
    #[serde(rename = "final_status")]
    verdict: String,
}

fn lines<T: serde::de::DeserializeOwned>(text: &[u8]) -> anyhow::Result<Vec<T>> {
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| Ok(serde_json::from_slice(line)?)).collect()
}

/// Labels of packages of distributions that the snapshot follows, and of npm packages that it names. Labels without a package
/// and undecided ones say nothing.
pub(super) fn images(text: &[u8], facts: &Facts, database: &Database<'_>) -> anyhow::Result<Vec<Label>> {
    let all: Vec<ImageLabel> = lines(text)?;
    let npm = database.slice(Ecosystem::Npm, None);
    let mut labels = Vec::new();
    for label in all.into_iter().filter(|label| label.label == "TP" || label.label == "FP") {
        let (Some(name), Some(version)) = (&label.name, &label.version) else { continue };
        let by_distro = facts.distro(&label.image).and_then(|distro| facts.package(distro, name, version));
        let package = match by_distro {
            Some(package) => Some(package),
            // Only refusals: those that hold are in the list that was joined by hand.
            None if label.label == "FP" && is_npm(database, npm, name, version)? => {
                Some(Package::new(Ecosystem::Npm, name, version))
            }
            None => None,
        };
        let Some(package) = package else { continue };
        labels.push(Label {
            set: match package.distro.as_deref().map(|distro| distro.split('-').next().unwrap_or_default()) {
                Some("debian") => "deb (Debian)",
                Some("alpine") => "apk (Alpine)",
                Some(_) => "apk (Wolfi)",
                None => "npm",
            },
            packages: vec![package],
            ids: [Some(label.vuln), label.cve]
                .into_iter()
                .flatten()
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
            is_true: label.label == "TP",
            image: label.image,
        });
    }
    Ok(labels)
}

fn is_npm(
    database: &Database<'_>,
    npm: Option<&SliceInfo>,
    name: &str,
    version: &str,
) -> anyhow::Result<bool> {
    let Some(slice) = npm else { return Ok(false) };
    let is_version = kiln_pkg::version::SemVer::parse(version).is_some();
    Ok(is_version && !database.lookup(slice, name)?.is_empty())
}

/// Labels of npm packages.
pub(super) fn npm(text: &[u8]) -> anyhow::Result<Vec<Label>> {
    let all: Vec<ImageLabel> = lines(text)?;
    let label = |label: ImageLabel| {
        let package = Package::new(Ecosystem::Npm, label.name?, label.version?);
        let ids = std::iter::once(label.vuln).chain(label.cve).collect();
        let is_true = label.label == "TP";
        Some(Label { set: "npm", packages: vec![package], ids, is_true, image: label.image })
    };
    Ok(all.into_iter().filter_map(label).collect())
}

/// What a scanner found in a package of Wolfi, and what its maintainers then said. The package's own version is not recorded; it is
/// asked at a version below every fix, where all that was ever true is still true. For npm components the question is the other
/// way round: whether the advisories of npm are silenced where the maintainers said that they do not apply.
pub(super) fn wolfi(text: &[u8], database: &Database<'_>) -> anyhow::Result<Vec<Label>> {
    let npm = database.slice(Ecosystem::Npm, None);
    let mut labels = Vec::new();
    for found in lines::<Detection>(text)? {
        let apk =
            Package { distro: Some("wolfi".to_owned()), ..Package::new(Ecosystem::Apk, &found.origin, "0") };
        let is_true = found.verdict != "false-positive-determination";
        let ids: Vec<String> = std::iter::once(found.id).chain(found.aliases).collect();
        let version = found.component_version.unwrap_or_default();
        if found.component_type == "npm" && is_npm(database, npm, &found.component_name, &version)? {
            let owner = Some(found.origin.clone());
            let component = Package { owner, ..Package::new(Ecosystem::Npm, &found.component_name, version) };
            let (packages, ids) = (vec![apk.clone(), component], ids.clone());
            labels.push(Label { set: "npm in apk (Wolfi)", packages, ids, is_true, image: String::new() });
        }
        labels.push(Label {
            set: "apk (Wolfi, detections)",
            packages: vec![apk],
            ids,
            is_true,
            image: String::new(),
        });
    }
    Ok(labels)
}
