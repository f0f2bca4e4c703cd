//! Advisories: feeds compiled to a compact database, looked up and matched against an inventory.
//!
//! This crate does no I/O: a database is bytes that someone else read or mapped, and [`Database::embedded`] is part
//! of the program. It has no clock: the age of a database and the end of release lines are told against a day that is passed in
//! ([`Terms`]). What the database does not cover is said ([`Coverage`]), never taken for clean.
//! Start from [`Database`] and [`check`].

mod age;
pub mod build;
mod coverage;
mod database;
mod date;
mod error;
mod gate;
mod id;
mod judged;
mod lifecycle;
mod matched;
mod matching;
mod origin;
mod owned;
mod plan;
mod report;
mod score;
mod shrink;
mod suppressed;
mod vex;
mod wire;

pub use age::{MaxAge, Terms};
pub use coverage::{Coverage, Covered};
pub use database::{Advisory, Bound, Database, ReadAt, Release, SliceInfo, Span, Status};
pub use date::Date;
pub use error::Error;
pub use gate::{Condition, Gate, GateVerdict, Open};
pub use judged::JudgedBy;
/// Why a [`ReadAt`] could not read.
pub use kiln_finding::Cause;
pub use lifecycle::{EndOfLife, ReleaseLine, release_line, release_lines};
pub use matched::{Fix, MadeBy, Match};
pub use matching::check;
pub use plan::{Plan, Remaining, Step, StepKind, plan};
pub use report::{VulnerabilityReport, counts};
pub use score::{Cvss, Epss, Share, Tenths};
pub use shrink::{MAX_SHRINK_PERCENT, Shrunk, shrunk};
pub use suppressed::{Suppressed, Suppression, Verdict};
pub use vex::{VexSource, VexTarget, VexUse, apply_vex};
