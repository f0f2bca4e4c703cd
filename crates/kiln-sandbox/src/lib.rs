//! Runs one command in namespaces over a root of its own, as any user, and moves trees between disk and value.
//!
//! kiln starts itself again as a single-threaded process ([`enter`]), which unshares, mounts and starts the
//! command: no other thread ever sees a half-made namespace. The command is root inside, mapped to the user who
//! runs kiln, so no subordinate ids are needed; where a user has them, [`adopt`] makes use of them. This crate does not know what it runs or why.
//!
//! Start from [`Job`] and [`Sandbox`].

mod bpf;
mod bridge;
mod capability;
mod cgroup;
mod collect;
mod confine;
mod error;
mod init;
mod job;
mod limits;
mod mounts;
mod namespaces;
mod owners;
mod point;
mod profile;
mod read_only;
mod routes;
mod run;
mod scope;
mod setup;
mod subordinate;
mod unpack;
mod upper;

pub use bridge::Bridge;
pub use cgroup::{Limits, limits};
pub use collect::{collect, collect_in, collect_with};
pub use error::Error;
pub use init::{ENTER, enter};
pub use job::{Finished, HOSTNAME, Ids, Job, Mount, Network, Root, User};
pub use routes::CLOSED;
pub use run::Sandbox;
pub use subordinate::adopt;
pub use unpack::{remove, unpack};
pub use upper::{OWNER, Placing, hides, own, read_upper, remove_stubs, write_upper};
