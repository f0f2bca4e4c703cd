//! From an app to an image: plan, base, steps in the sandbox, layers.

mod bases;
mod keep;
mod run;
mod runner;
mod toolchain;

pub use run::{Wanted, build};
pub(crate) use toolchain::npm_settings;
