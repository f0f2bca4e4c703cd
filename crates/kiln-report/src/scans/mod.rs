//! What every format says of scans.

mod cyclonedx;
mod github;
mod gitlab;
mod human;
mod json;
mod junit;
mod markdown;
mod openvex;
mod planned;
mod sarif;
mod scan;
mod words;

pub(crate) use cyclonedx::render as cyclonedx;
pub(crate) use github::render as github;
pub(crate) use gitlab::render as gitlab;
pub(crate) use human::render as human;
pub(crate) use json::render as json;
pub(crate) use junit::render as junit;
pub(crate) use markdown::render as markdown;
pub(crate) use openvex::render as openvex;
pub(crate) use sarif::render as sarif;
pub use scan::Scan;
