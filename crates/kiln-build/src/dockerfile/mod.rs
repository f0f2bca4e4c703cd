//! Building a Dockerfile: from its text to steps, from steps to layers.

mod content;
mod graph;
mod lower;
mod place;
mod port;
mod rooted;
mod select;
mod solve;
mod stack;
mod user;
mod why;

pub use graph::{
    Base, Copy, Dir, Exec, ExecMount, ExecMountKind, Files, Graph, Op, Origin, Source, Step, StepId, Target,
};
pub use lower::{Inputs, Remote, Request, is_repository, lower};
pub use port::{BaseLayer, Depth, Form, Job, JobMount, Layer, MountContent, Notes, UserIds, Watch, Workshop};
pub use solve::{Shared, Solver, empty_key};
