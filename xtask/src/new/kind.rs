use super::change::{Change, Files};

/// A kind of thing that has a recipe in CONTRIBUTING.md: a static in a file of its own.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// What a name of it looks like.
    pub(super) example: &'static str,
    pub(super) about: &'static str,
    /// What is new with one of this name.
    pub(super) plan: for<'a> fn(&'a Files, &str) -> anyhow::Result<Change<'a>>,
    /// What is left to be done by hand.
    pub(super) next: &'static str,
}
