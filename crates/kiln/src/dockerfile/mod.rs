//! Wires the engine for Dockerfiles to this machine.

mod archive;
mod assemble;
mod context;
mod exec;
mod inputs;
mod notes;
mod options;
mod port_error;
mod remote;
mod run;
mod scratch;
mod share;
mod watch;
mod workshop;

pub(crate) use options::DockerfileOptions;
pub(crate) use run::build;
