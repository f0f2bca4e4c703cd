//! Wires the engine for Dockerfiles to this machine.

mod archive;
mod assemble;
mod exec;
mod folders;
mod git;
mod ids;
mod inputs;
mod notes;
mod options;
mod remote;
mod results;
mod run;
mod share;
mod spool;
mod watch;
mod workshop;

pub use ids::adopt_ids;
pub use options::Options;
pub use run::{Settings, build};
