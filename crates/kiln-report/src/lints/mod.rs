//! What every format says of Dockerfiles.

mod file;
mod github;
mod gitlab;
mod human;
mod json;
mod junit;
mod markdown;
mod sarif;
mod summary;

pub use file::LintedFile;
pub(crate) use github::render as github;
pub(crate) use gitlab::render as gitlab;
pub(crate) use human::render as human;
pub(crate) use json::render as json;
pub(crate) use junit::render as junit;
pub(crate) use markdown::render as markdown;
pub(crate) use sarif::render as sarif;
pub use summary::summary;
