//! Makes on this machine what the engine of kiln-build asks for: layers, and commands over them.

mod assemble;
mod commands;
mod executor;
mod facts;
mod folders;
mod given;
mod ids;
mod last_lines;
mod layer_store;
mod mounts;
mod options;
mod results;
mod share;
mod solve;
mod watch;

pub(crate) use given::Given;
pub use ids::adopt_ids;
pub(crate) use ids::ids;
pub use options::BuildOptions;
pub(crate) use solve::{Check, Engine, Made};
