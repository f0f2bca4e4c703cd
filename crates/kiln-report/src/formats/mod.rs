mod github;
mod human;
mod json;
mod markdown;

use crate::Format;

/// Every format, by name.
pub static FORMATS: &[&Format] = &[&github::FORMAT, &human::FORMAT, &json::FORMAT, &markdown::FORMAT];
