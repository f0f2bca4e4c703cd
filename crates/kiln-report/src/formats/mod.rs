mod github;
mod human;
mod json;
mod markdown;

pub(crate) use github::command;
pub(crate) use markdown::escape as cell;

use crate::Format;

/// Every format, by name.
pub static FORMATS: &[&Format] = &[&github::FORMAT, &human::FORMAT, &json::FORMAT, &markdown::FORMAT];
