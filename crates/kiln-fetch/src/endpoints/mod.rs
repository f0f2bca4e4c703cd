//! Where this machine already downloads from: apt's sources and npm's configuration.
//!
//! No host is known here. Where nothing is configured the error shows the line to add.

mod apt;
mod machine;
mod npm;
mod npmrc;

pub use apt::Archives;
pub use machine::Machine;
pub use npm::Npm;
