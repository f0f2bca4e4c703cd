//! The gate: checks over evidence about an image, and the scorecard they give.
//!
//! This crate does no I/O and has no clock: the shell collects [`Evidence`], the day is a part of it, and what could
//! not be observed is [`kiln_finding::Fact::Unknown`], which never passes. It renders nothing; that is kiln-report.
//! Start from [`Evidence`] and [`judge`].

mod advisories;
mod attested;
mod check;
mod checks;
mod error;
mod evidence;
mod exception;
mod fake;
mod glob;
mod indicators;
mod judge;
mod node_lines;
mod profile;
mod scorecard;
mod settings;
mod verdict;
mod wording;

pub use check::{Check, Stage};
pub use checks::CHECKS;
pub use error::Error;
pub use evidence::{ArchiveFacts, Attested, BaseFacts, Evidence, EvidenceSubject, LockFacts, Size};
pub use exception::{Exception, ExceptionState, ExceptionUse, excuse};
pub use judge::judge;
pub use scorecard::{Counts, ImageSummary, Line, Outcome, Scorecard};
pub use settings::{Overrides, PolicySettings};
pub use verdict::{Judged, Unknown, Verdict};
