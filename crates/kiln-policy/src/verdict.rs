use kiln_finding::Fact;

/// What a check that could look has to say. Texts are fragments without a full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Pass {
        /// Why, in a few words.
        reason: String,
        /// What that rests on, for who wants to know all of it.
        details: Vec<String>,
    },
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

pub(crate) fn pass(reason: impl Into<String>) -> Judged {
    pass_by(reason, Vec::new())
}

/// A pass that rests on more than a line can say.
#[expect(clippy::unnecessary_wraps, reason = "ends a check")]
pub(crate) fn pass_by(reason: impl Into<String>, details: Vec<String>) -> Judged {
    Ok(Verdict::Pass { reason: reason.into(), details })
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
