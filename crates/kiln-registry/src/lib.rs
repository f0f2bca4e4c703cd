//! Images from and to registries: the distribution protocol of OCI.
//!
//! A [`Repository`] is a `kiln_image::Source` and `kiln_image::Sink`, so `kiln_image::copy` moves images from and to it.
//! Every byte is checked against its digest while it streams, a credential goes to its own registry and nowhere
//! else, and whatever a server sends has a cap. This crate does not read the environment: where credentials lie
//! comes in as a [`Keyring`].
//! Start from [`Client`] and [`Repository`].

mod auth;
mod blob;
pub mod challenge;
mod client;
mod document;
mod documents;
mod endpoint;
mod ends;
mod error;
mod header;
mod hub;
mod keyring;
pub mod link;
mod referrers;
mod repository;
mod sender;
mod settings;
mod transport;
mod upload;
mod verify;

pub use client::Client;
pub use error::Error;
pub use keyring::{Keyring, read_logins};
pub use repository::Repository;
pub use settings::{Options, RegistrySettings};
