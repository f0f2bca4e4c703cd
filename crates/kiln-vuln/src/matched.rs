use kiln_finding::Severity;
use kiln_oci::Digest;
use kiln_pkg::{Ecosystem, Origin, Package, Place};
use serde::{Deserialize, Serialize};

use crate::{Cvss, Date, Epss, JudgedBy};

/// One vulnerability in one package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// The id it is best known by: GHSA for npm, CVE for the rest, where there is one.
    pub id: String,
    /// Its other ids. Sorted.
    pub aliases: Vec<String>,
    /// How severe it is; unknown where nobody judged it.
    pub severity: Severity,
    /// Whose judgement that is, where the database says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged_by: Option<JudgedBy>,
    /// The worst CVSS vector published with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cvss: Option<Cvss>,
    /// Listed by CISA as exploited in the wild.
    pub known_exploited: bool,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exploited_since: Option<Date>,
    /// How likely it is exploited, where the database has probabilities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epss: Option<Epss>,
    /// Kinds of weakness, by their CWE numbers. Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cwes: Vec<u32>,
    /// When it was published, where the feed says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Date>,
    /// The package, by [`kiln_pkg::Package::key`].
    pub package: String,
    /// Its ecosystem.
    pub ecosystem: Ecosystem,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What removes the vulnerability.
    pub fix: Fix,
    /// Where the package is.
    pub places: Vec<Place>,
    /// The layer that brings it, and the instruction that made that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<MadeBy>,
    /// Whether it came with the base image, where the image tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The tool whose installation brings it (`npm`): who removes the tool removes the vulnerability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The direct dependencies of the app that bring it in, as `name@version`. Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub direct: Vec<String>,
    /// The shortest way from one of them to the package, both included, as `name@version`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
}

/// A layer and what made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeBy {
    /// Digest of the uncompressed layer.
    pub diff_id: Digest,
    /// The instruction, as the image's history tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruction: Option<String>,
}

/// What removes a vulnerability.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Fix {
    /// Another version: the lowest above the installed one that is fixed. For Debian the version of the source package.
    Version {
        /// That version.
        version: String,
    },
    /// There is none yet.
    None,
    /// The distribution decided against one.
    WontFix,
    /// The feed does not say; newer versions may or may not be affected.
    Unknown,
}

impl Match {
    /// A match of which only this is known.
    pub fn new(id: impl Into<String>, severity: Severity, package: &Package, fix: Fix) -> Self {
        Self {
            id: id.into(),
            aliases: Vec::new(),
            severity,
            judged_by: None,
            cvss: None,
            known_exploited: false,
            exploited_since: None,
            epss: None,
            cwes: Vec::new(),
            published: None,
            package: package.key(),
            ecosystem: package.ecosystem,
            name: package.name.clone(),
            version: package.version.clone(),
            fix,
            places: package.places.clone(),
            layer: None,
            origin: package.origin,
            tool: package.group.clone(),
            direct: package.direct.clone(),
            path: Vec::new(),
        }
    }

    /// The severity gates judge by: what is exploited in the wild and what is malware is critical.
    pub fn effective_severity(&self) -> Severity {
        if self.known_exploited || self.is_malware() { Severity::Critical } else { self.severity }
    }

    /// The same, where what nobody has judged counts as `unjudged`.
    pub fn severity_or(&self, unjudged: Option<Severity>) -> Severity {
        match self.effective_severity() {
            Severity::Unknown => unjudged.unwrap_or(Severity::Unknown),
            judged => judged,
        }
    }

    /// Whether the package itself is malware. Source: OpenSSF, malicious-packages.
    pub fn is_malware(&self) -> bool {
        self.ids().any(|id| id.starts_with(crate::id::MALWARE))
    }

    /// The version that fixes it, where one is known.
    pub fn fixed_in(&self) -> Option<&str> {
        match &self.fix {
            Fix::Version { version } => Some(version),
            Fix::None | Fix::WontFix | Fix::Unknown => None,
        }
    }

    /// The id and the aliases.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(self.aliases.iter().map(String::as_str))
    }
}
