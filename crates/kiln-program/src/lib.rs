//! The one way to ask a program of this machine: git, npm, keepers of credentials and of keys, mappers of ids.
//!
//! Each gets the variables that are named and no others, has a time and an amount that it may print, runs in a process group of its
//! own that is ended with it and with kiln ([`enter`]), and says in an error who it was and how it ended. What kiln starts of itself, and commands of builds, belong to
//! kiln-sandbox.

mod call;
mod ended;
mod environment;
mod error;
mod guard;
mod wait;

pub use call::Call;
pub use ended::Ended;
pub use environment::{COMMON, KEEPERS};
pub use error::Error;
pub use guard::enter;
