use crate::{Format, cards, lints, scans};

/// JUnit XML: a suite per image or file, a case per thing that was looked at.
pub(super) static FORMAT: Format = Format {
    name: "junit",
    about: "For the test reports of CI",
    extension: "xml",
    is_json: false,
    holds_one: false,
    card: Some(cards::junit),
    lint: Some(lints::junit),
    scan: Some(scans::junit),
    trust: None,
};
