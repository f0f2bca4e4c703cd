use crate::Format;
use crate::{cards, lints, scans, trust};

/// For programs. Fields are added, never renamed, as long as the version that a document names stays.
pub(super) static FORMAT: Format = Format {
    name: "json",
    about: "For programs",
    extension: "json",
    is_json: true,
    holds_one: false,
    card: Some(cards::json),
    lint: Some(lints::json),
    scan: Some(scans::json),
    trust: Some(trust::json),
};
