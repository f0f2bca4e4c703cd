use serde::{Deserialize, Serialize};

use crate::{Date, Match};

/// A match that does not count, and who says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppressed {
    /// What was found.
    #[serde(flatten)]
    pub found: Match,
    /// Why it does not count.
    pub by: Suppression,
}

/// Why a match does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Suppression {
    /// The distribution whose package holds the component has looked at it.
    Distribution {
        /// Its package, as `name@version`.
        package: String,
        /// What it says.
        verdict: Verdict,
    },
    /// A VEX statement says so.
    Vex {
        /// Where the document is from.
        document: String,
        /// Who wrote it.
        author: String,
        /// `not_affected` or `fixed`.
        status: String,
        /// The justification or the impact statement.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Somebody answers for it, until a day.
    Exception {
        /// Why this is acceptable.
        reason: String,
        /// Who answers for it.
        owner: String,
        /// The last day it applies.
        expires: Date,
    },
}

/// What a distribution says of a component in one of its packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Its package was looked at and is not affected.
    NotAffected,
    /// This version of its package has the fix.
    Fixed,
}

impl Suppression {
    /// One line for a person.
    pub fn explain(&self) -> String {
        match self {
            Self::Distribution { package, verdict: Verdict::NotAffected } => {
                format!("{package} is not affected, says its distribution")
            }
            Self::Distribution { package, verdict: Verdict::Fixed } => {
                format!("fixed in {package}, says its distribution")
            }
            Self::Vex { document, author, status, reason } => {
                let reason = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
                format!("{status}{reason}, says {author} in {document}")
            }
            Self::Exception { reason, owner, expires } => format!("{owner} until {expires}: {reason}"),
        }
    }
}
