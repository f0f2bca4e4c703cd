//! The one door to the disk: folders that hold content of others are reached by descriptor, and nothing leaves them;
//! files of kiln's own appear whole, under names that nobody can guess.
#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test may panic"))]

mod incoming;
mod lock;
mod replace;

pub use incoming::{Incoming, is_incoming, resume, sweep, sweep_where};
pub use lock::{Holding, Lock};
pub use replace::{Durability, PLAIN, PRIVATE, create, replace, replace_from};
