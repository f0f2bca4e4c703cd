//! A Dockerfile as a graph of steps.

mod lower;

pub use lower::{Inputs, Remote, Request, is_repository, lower};
