//! From a Dockerfile to an image: contexts, images, downloads, repositories.

mod archive;
mod git;
mod inputs;
mod options;
mod remote;
mod run;

pub use options::Options;
pub use run::{DockerfileSettings, build};
