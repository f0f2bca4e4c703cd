//! Makes keys and signs statements with them.
//!
//! Keys have cosign's file format, so either tool reads the other's. What is signed becomes a Sigstore bundle and a
//! referrer manifest; storing them is the caller's. Start from [`KeyPair`] and [`attach`].

mod attach;
mod error;
mod key;
pub mod legacy;
mod pem;

pub use attach::{Attachment, attach};
pub use error::Error;
pub use key::KeyPair;
