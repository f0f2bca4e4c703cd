//! The one engine of builds: a graph of steps over steps, and the layers that it leads to.

mod content;
mod graph;
mod origin;
mod place;
mod port;
mod rooted;
mod select;
mod solve;
mod stack;
mod user;
mod why;

pub use graph::{
    Base, BuildTarget, Choose, Copy, Dir, Exec, ExecMount, ExecMountKind, Files, Graph, Left, Op, Part,
    Source, Step, StepId, Writes,
};
pub use origin::Origin;
pub use port::{BaseLayer, Cache, Depth, Executor, Form, Job, JobMount, Layer, MountContent, UserIds, Watch};
pub(crate) use rooted::rooted;
pub(crate) use select::{prefix, select};
pub use solve::{Shared, Solver, empty_key};
pub use stack::Stack;
