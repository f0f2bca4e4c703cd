//! What every format says of signatures and statements.

mod found;
mod human;
mod json;

pub use found::Trust;
pub(crate) use human::render as human;
pub(crate) use json::render as json;
