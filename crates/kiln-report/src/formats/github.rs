use crate::{Format, cards, lints, scans};

/// Annotations of GitHub Actions. Source: its documentation, "Workflow commands".
pub(super) static FORMAT: Format = Format {
    name: "github",
    about: "For the log of a GitHub workflow, which shows findings beside the code",
    extension: "txt",
    is_json: false,
    holds_one: false,
    card: Some(cards::github),
    lint: Some(lints::github),
    scan: Some(scans::github),
    trust: None,
};
