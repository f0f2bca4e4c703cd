use crate::{Format, lints, scans};

/// GitLab's reports: of images its container scanning, of what is no image its dependency scanning (both: its security report
/// schemas, version 15), of Dockerfiles its code quality (its documentation, "Code Quality report format").
pub(super) static FORMAT: Format = Format {
    name: "gitlab",
    about: "A report of GitLab's: container scanning, dependency scanning or code quality",
    extension: "json",
    is_json: true,
    holds_one: true,
    card: None,
    lint: Some(lints::gitlab),
    scan: Some(scans::gitlab),
    trust: None,
};
