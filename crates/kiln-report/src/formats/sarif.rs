use crate::{Format, cards, lints, scans};

/// SARIF 2.1.0 (OASIS).
pub(super) static FORMAT: Format = Format {
    name: "sarif",
    about: "For programs that show findings in code",
    extension: "sarif",
    is_json: true,
    holds_one: false,
    card: Some(cards::sarif),
    lint: Some(lints::sarif),
    scan: Some(scans::sarif),
    trust: None,
};
