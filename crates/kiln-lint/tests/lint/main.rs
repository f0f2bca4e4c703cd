//! The rules: their pages are true, and the laws hold.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod laws;
mod pages;
mod pragmas;
mod world;
