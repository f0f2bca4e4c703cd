//! The version orders of the ecosystems. Each is a total preorder over the texts its ecosystem accepts.

pub mod apk;
pub mod deb;
pub mod pypi;
mod range;
mod semver;

#[cfg(test)]
mod tests;

pub use range::{Interval, Range};
pub use semver::SemVer;
