//! Where identity tokens come from: CI systems, and people at a browser. Who issues them is always given.

mod ambient;
mod browser;
mod device;
mod provider;

pub use ambient::{Ambient, GithubActions, ambient};
pub use browser::in_browser;
pub use device::by_device;
pub use provider::{Client, Person};
