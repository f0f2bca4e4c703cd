use std::collections::BTreeMap;

use super::draft::Draft;
use super::kind::FeedKind;
use crate::Date;

/// A feed to compile: JSON Lines in the OSV shape (or CISA's, for [`FeedKind::Kev`]).
#[derive(Clone, Debug)]
pub struct Feed<'a> {
    /// How to read it.
    pub kind: FeedKind,
    /// Name of the slice it makes.
    pub name: &'a str,
    /// Who published the facts, and under which licence.
    pub source: &'a str,
    /// The day up to which the feed is complete; single newer records may be in it.
    pub as_of: Date,
    /// One JSON record per line.
    pub lines: &'a [u8],
    /// A second list about the same packages. For Debian: DSAs and DLAs, which fill releases and gaps the main feed leaves.
    /// For Node.js: what its maintainers say of vulnerabilities in the libraries it bundles.
    pub supplement: Option<&'a [u8]>,
}

/// Drafts by package name.
pub(super) type Packages = BTreeMap<String, Vec<Draft>>;
