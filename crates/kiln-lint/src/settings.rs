use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::Level;

/// Where the image will run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// By itself or with compose: health is asked by the image's own check.
    Docker,
    /// In a cluster: health is asked by probes.
    Kubernetes,
}

/// What is asked, and how strictly.
#[derive(Clone, Debug)]
pub struct LintSettings {
    /// Where the image will run; `None` asks what holds everywhere.
    pub profile: Option<Profile>,
    /// Ids or slugs of rules that are asked besides.
    pub enable: BTreeSet<String>,
    /// Ids or slugs of rules that are not asked.
    pub disable: BTreeSet<String>,
    /// Levels that differ from those of the rules, by id.
    pub levels: BTreeMap<String, Level>,
    /// The stage that is built; the last one without it.
    pub target: Option<String>,
    /// The day, `YYYY-MM-DD`; ends of life are judged by it.
    pub today: String,
}

impl LintSettings {
    /// The settings of a day.
    pub fn new(today: impl Into<String>) -> Self {
        Self {
            profile: None,
            enable: BTreeSet::new(),
            disable: BTreeSet::new(),
            levels: BTreeMap::new(),
            target: None,
            today: today.into(),
        }
    }
}
