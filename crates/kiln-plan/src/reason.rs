use serde::Serialize;

/// A decision and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// What was decided about.
    pub about: &'static str,
    /// What was decided.
    pub decision: String,
    /// What it rests on.
    pub because: String,
    /// Whoever ships or runs the image must know of it.
    #[serde(skip)]
    pub is_told: bool,
}

impl Reason {
    pub(crate) fn new(about: &'static str, decision: impl Into<String>, because: impl Into<String>) -> Self {
        Self { about, decision: decision.into(), because: because.into(), is_told: false }
    }

    /// A reason that whoever ships or runs the image must know of.
    pub(crate) fn told(about: &'static str, decision: impl Into<String>, because: impl Into<String>) -> Self {
        Self { is_told: true, ..Self::new(about, decision, because) }
    }
}
