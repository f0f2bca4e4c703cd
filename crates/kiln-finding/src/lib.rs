//! What every part of kiln says: how severe something is, facts that may be unknown, and errors that explain
//! themselves.
//!
//! This crate does not print, and knows no subject: what a finding is differs too much between a vulnerability, a line of a
//! Dockerfile and a check of a policy to be one type. Start from [`Fact`] and [`Diagnose`].

mod cause;
mod closest;
mod diagnose;
mod fact;
mod failure;
mod port_error;
mod sentence;
mod severity;
mod size;

pub use cause::Cause;
pub use closest::{closest, did_you_mean};
pub use diagnose::{Class, Diagnose};
pub use fact::Fact;
pub use failure::Failure;
pub use port_error::PortError;
pub use sentence::sentence;
pub use severity::Severity;
pub use size::size;
