//! A hardened Node base, composed from signed Debian packages and the Node binary of an npm registry.
//!
//! [`resolve`] asks the archives what there is today and yields a [`Lock`] that pins every input; [`compose`]
//! turns a lock into layers, and the same lock gives the same layers for ever. This crate does no I/O: bytes
//! come through the port [`Fetch`], time comes as a value, and no host is named here or in a lock.
//! Start from [`resolve`] and [`compose`].

mod compose;
mod deb;
mod deb822;
mod elf;
mod error;
mod keys;
mod lock;
mod npm;
mod packages;
mod pinned;
mod recipe;
mod relation;
mod release;
mod resolve;
mod source;
#[cfg(test)]
mod testing;

pub use compose::{Base, Component, Layer, Variant, check_program, compose};
pub use error::Error;
pub use lock::{DebPin, Lock, NpmPin, Snapshot, Use};
pub use recipe::{Distribution, NODE_DEFAULT, NODE_LINES};
pub use resolve::{Request, Tool, resolve};
pub use source::{Fetch, FetchError, Item, Place};
