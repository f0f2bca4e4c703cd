//! Wires the build engine to this machine: bases, sandbox, store and cache.

mod bases;
mod keep;
mod run;
mod runner;
mod toolchain;

pub(crate) use bases::Bases;
pub(crate) use run::{Options, build};
pub(crate) use toolchain::npm_settings;
