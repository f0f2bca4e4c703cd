use serde::{Deserialize, Serialize};

use crate::{Evidence, Judged, PolicySettings};

/// One check: a static in a file of its own, listed in [`crate::CHECKS`].
#[derive(Debug)]
pub struct Check {
    /// Two letters and three digits; never reused.
    pub id: &'static str,
    /// Reads after "allow …".
    pub slug: &'static str,
    /// What holds where the check passes.
    pub title: &'static str,
    /// From when on it can be answered.
    pub stage: Stage,
    /// The user's page about it, in Markdown.
    pub page: &'static str,
    /// The check itself.
    pub check: fn(&Evidence, &PolicySettings) -> Judged,
}

/// How far an image has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// It is built, and nothing is signed yet.
    Built,
    /// It is signed and attested; everything is asked.
    Attested,
}

impl Stage {
    /// The lower-case name used in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Built => "built",
            Self::Attested => "attested",
        }
    }
}
