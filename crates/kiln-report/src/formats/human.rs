use crate::Format;
use crate::{cards, lints, scans, trust};

/// For a person at a terminal. Styled with escapes that the writer strips where they are not wanted.
pub(super) static FORMAT: Format = Format {
    name: "human",
    about: "For people",
    extension: "txt",
    is_json: false,
    holds_one: false,
    card: Some(cards::human),
    lint: Some(lints::human),
    scan: Some(scans::human),
    trust: Some(trust::human),
};
