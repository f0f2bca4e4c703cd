//! Runs what the engine of kiln-build asks for on this machine: commands in the sandbox, layers as folders and packed, files of
//! contexts, registries and archives, and the cache of results.
//!
//! Start from [`dockerfile::build`] for a Dockerfile and from [`app::build`] for an app. Both take plain values, tell a
//! [`Progress`] what they do, and leave an image in a layout, without a name. Commands run in processes of the program that calls
//! this, which must begin with [`kiln_sandbox::enter`].

pub mod app;
pub mod base;
pub mod dockerfile;
mod engine;
mod git;
mod npm;
mod outside;
mod progress;
mod spool;
mod times;

pub use engine::{BuildOptions, adopt_ids};
pub use outside::Outside;
pub use progress::{Progress, Tell};
