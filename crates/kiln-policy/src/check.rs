use kiln_finding::Fact;
use serde::{Deserialize, Serialize};

use crate::{Evidence, Settings};

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
    pub check: fn(&Evidence, &Settings) -> Judged,
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

/// What a check that could look has to say. Texts are fragments without a full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds, and why.
    Pass(String),
    /// It does not hold.
    Fail {
        /// What is wrong, and where.
        reason: String,
        /// What to change.
        cure: String,
    },
    /// The question does not arise for this image, and why.
    NotApplicable(String),
}

/// A check could not look, so nobody may call it a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Why.
    pub why: String,
    /// What makes it known.
    pub cure: String,
}

/// A verdict, or that there can be none. `?` on a missing fact ends a check with the right answer.
pub type Judged = Result<Verdict, Unknown>;

#[expect(clippy::unnecessary_wraps, reason = "ends a check")]
pub(crate) fn pass(reason: impl Into<String>) -> Judged {
    Ok(Verdict::Pass(reason.into()))
}

#[expect(clippy::unnecessary_wraps, reason = "ends a check")]
pub(crate) fn fail(reason: impl Into<String>, cure: impl Into<String>) -> Judged {
    Ok(Verdict::Fail { reason: reason.into(), cure: cure.into() })
}

#[expect(clippy::unnecessary_wraps, reason = "ends a check")]
pub(crate) fn not_applicable(reason: impl Into<String>) -> Judged {
    Ok(Verdict::NotApplicable(reason.into()))
}

pub(crate) fn unknown<T>(why: impl Into<String>, cure: impl Into<String>) -> Result<T, Unknown> {
    Err(Unknown { why: why.into(), cure: cure.into() })
}

/// The value of a fact; `cure` says what makes it known.
pub(crate) fn need<'a, T>(fact: &'a Fact<T>, cure: &str) -> Result<&'a T, Unknown> {
    match fact {
        Fact::Known(value) => Ok(value),
        Fact::Unknown(why) => unknown(why, cure),
    }
}
