//! The protocol, against scripted registries in this process and Debian's own.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod auth;
mod fake;
mod hostile;
mod keyring;
mod pull;
mod push;
mod real;
mod referrers;
mod server;
