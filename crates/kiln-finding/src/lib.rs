//! What every part of kiln says: findings about a subject, facts that may be unknown, and errors that
//! explain themselves.
//!
//! This crate does not print, and knows no subject. Start from [`Finding`] and [`Fact`].

mod cause;
mod diagnose;
mod fact;
mod failure;
mod finding;
mod port_error;

pub use cause::Cause;
pub use diagnose::{Class, Diagnose};
pub use fact::Fact;
pub use failure::Failure;
pub use finding::{Finding, Location, Severity};
pub use port_error::PortError;
