//! What this machine needs for kiln to work well, looked at one by one, each with its cure.

mod images;
mod machine;
mod sandbox;

use serde::Serialize;

use crate::context::Context;

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
    fn fine(about: &'static str, what: impl Into<String>) -> Self {
        Self { about, state: State::Fine, what: what.into(), cure: None }
    }

    fn weak(about: &'static str, what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { about, state: State::Weak, what: what.into(), cure: Some(cure.into()) }
    }

    fn broken(about: &'static str, what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { about, state: State::Broken, what: what.into(), cure: Some(cure.into()) }
    }
}

/// Looks at everything. With `repair`, what is wrong in the store is put right.
pub(crate) fn examine(context: &Context, repair: bool) -> Vec<Found> {
    let mut found =
        vec![machine::kernel(), sandbox::namespaces(context), sandbox::limits(), machine::subordinate_ids()];
    found.extend(machine::disks(context));
    found.push(machine::clock(context));
    found.push(machine::logins());
    found.push(machine::advisories(context));
    found.extend(images::store(context, repair));
    found
}
