//! The words of container images: digest, media type, descriptor, manifest, index, config, platform, reference.
//!
//! Shapes follow the OCI image specification 1.1. This crate reads and writes bytes; it does not fetch, store
//! or judge them. Unknown fields are kept (`other`), so a configuration survives a round trip, but a digest is
//! always computed from the bytes that were received, never from a re-serialised value.
//! Start from [`Digest`] and [`Descriptor`].

mod config;
mod descriptor;
mod digest;
mod manifest;
pub mod media_type;
mod normal;
mod null;
mod platform;
mod reference;

pub use config::{ContainerConfig, Healthcheck, History, ImageConfig, RootFs};
pub use descriptor::Descriptor;
pub use digest::{Digest, DigestError, Hasher, HashingReader, HashingWriter};
pub use manifest::{Index, Listing, Manifest};
pub use normal::{answering_host, normal_host, normal_image, normal_path, normal_pattern};
pub use platform::{Arch, Platform};
pub use reference::{Reference, ReferenceError};
