//! What every part of kiln says: findings about a subject, facts that may be unknown, and errors that
//! explain themselves.
//!
//! This crate does not print, and knows no subject. Start from [`Finding`] and [`Fact`].

mod cause;
mod diagnose;
mod fact;
mod finding;

pub use cause::Cause;
pub use diagnose::{Class, Diagnose};
pub use fact::Fact;
pub use finding::{Finding, Location, Severity};
