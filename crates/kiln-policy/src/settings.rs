use kiln_finding::Severity;
use kiln_vuln::{Match, MaxAge};
use serde::{Deserialize, Serialize};

use crate::Exception;

/// What is asked of an image: a profile, with what the user changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PolicySettings {
    /// Name of the profile it began as.
    #[serde(default)]
    pub profile: String,
    /// Ids of the checks that are asked. A profile that lists none asks every check there is.
    #[serde(default)]
    pub checks: Vec<String>,
    /// Globs of the names of bases that may be built on.
    pub approved_bases: Vec<String>,
    /// Globs of the SPDX ids that may not be shipped.
    pub denied_licences: Vec<String>,
    /// Severities of which no fixable vulnerability may be left.
    pub severities: Vec<Severity>,
    /// The severity of vulnerabilities that nobody has judged. Without it, one that has a fix leaves the answer unknown.
    #[serde(default)]
    pub unknown_severity: Option<Severity>,
    /// Globs of the names of packages that may be from a repository, an archive or a folder, where no advisory names them. All others
    /// that are leave the answer unknown.
    #[serde(default)]
    pub from_elsewhere: Vec<String>,
    /// Most megabytes (10^6 bytes) that the compressed layers may have.
    pub size_budget: u64,
    /// Most days since the package index that the base was composed from.
    pub archive_max_age: u32,
    /// Most days since the advisories were complete, for all feeds or for each; older ones answer nothing. Without it, age is only
    /// shown.
    #[serde(default)]
    pub advisories_max_age: Option<MaxAge>,
    /// Whether every file that is built from must be as a commit has it.
    #[serde(default)]
    pub committed_sources: bool,
    /// What somebody answers for.
    #[serde(default)]
    pub exceptions: Vec<Exception>,
}

/// What `[policy]` of `kiln.toml` changes in a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Overrides {
    /// The profile to begin from.
    pub profile: Option<String>,
    /// See [`PolicySettings::checks`].
    pub checks: Option<Vec<String>>,
    /// See [`PolicySettings::approved_bases`].
    pub approved_bases: Option<Vec<String>>,
    /// See [`PolicySettings::denied_licences`].
    pub denied_licences: Option<Vec<String>>,
    /// See [`PolicySettings::severities`].
    pub severities: Option<Vec<Severity>>,
    /// See [`PolicySettings::unknown_severity`].
    pub unknown_severity: Option<Severity>,
    /// See [`PolicySettings::from_elsewhere`].
    pub from_elsewhere: Option<Vec<String>>,
    /// See [`PolicySettings::size_budget`].
    pub size_budget: Option<u64>,
    /// See [`PolicySettings::archive_max_age`].
    pub archive_max_age: Option<u32>,
    /// See [`PolicySettings::advisories_max_age`].
    pub advisories_max_age: Option<MaxAge>,
    /// See [`PolicySettings::committed_sources`].
    pub committed_sources: Option<bool>,
}

impl PolicySettings {
    /// Whether this check is asked.
    pub fn asks(&self, id: &str) -> bool {
        self.checks.iter().any(|asked| asked == id)
    }

    /// How severe a vulnerability is; unknown where nobody has judged it, and the settings do not either.
    pub(crate) fn severity_of(&self, found: &Match) -> Severity {
        found.severity_or(self.unknown_severity)
    }

    pub(crate) fn change(&mut self, by: Overrides) {
        set(&mut self.checks, by.checks);
        set(&mut self.approved_bases, by.approved_bases);
        set(&mut self.denied_licences, by.denied_licences);
        set(&mut self.severities, by.severities);
        self.unknown_severity = by.unknown_severity.or(self.unknown_severity);
        set(&mut self.from_elsewhere, by.from_elsewhere);
        set(&mut self.size_budget, by.size_budget);
        set(&mut self.archive_max_age, by.archive_max_age);
        self.advisories_max_age = by.advisories_max_age.or(self.advisories_max_age.take());
        set(&mut self.committed_sources, by.committed_sources);
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
