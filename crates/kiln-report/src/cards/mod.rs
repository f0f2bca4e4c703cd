//! What every format says of a scorecard.

mod github;
mod human;
mod json;
mod junit;
mod markdown;
mod sarif;
mod summary;

pub(crate) use github::render as github;
pub(crate) use human::render as human;
pub(crate) use json::render as json;
pub(crate) use junit::render as junit;
pub(crate) use markdown::render as markdown;
pub(crate) use sarif::render as sarif;
