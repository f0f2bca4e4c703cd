use serde::Serialize;

/// How one thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum State {
    Fine,
    /// It works, but not as well as it could, or not for long.
    Weak,
    Broken,
}

/// What one look found.
#[derive(Debug, Serialize)]
pub(crate) struct Found {
    pub(crate) about: &'static str,
    pub(crate) state: State,
    pub(crate) what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cure: Option<String>,
}

impl Found {
    pub(super) fn fine(about: &'static str, what: impl Into<String>) -> Self {
        Self { about, state: State::Fine, what: what.into(), cure: None }
    }

    pub(super) fn weak(about: &'static str, what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { about, state: State::Weak, what: what.into(), cure: Some(cure.into()) }
    }

    pub(super) fn broken(about: &'static str, what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { about, state: State::Broken, what: what.into(), cure: Some(cure.into()) }
    }
}
