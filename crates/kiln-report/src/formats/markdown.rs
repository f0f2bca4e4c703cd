use crate::{Format, cards, lints, scans};

/// For pull requests, job summaries and pages.
pub(super) static FORMAT: Format = Format {
    name: "markdown",
    about: "For pages and the comments of pull requests",
    extension: "md",
    is_json: false,
    holds_one: false,
    card: Some(cards::markdown),
    lint: Some(lints::markdown),
    scan: Some(scans::markdown),
    trust: None,
};
