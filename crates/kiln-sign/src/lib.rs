//! Makes keys and signs statements and files: with a key that lasts, or with one that a certificate authority vouches
//! for by the word of an identity token.
//!
//! Keys have cosign's file format, so either tool reads the other's. What is signed becomes a Sigstore bundle and a
//! referrer manifest; storing them is the caller's. A private key may stay where it is ([`HeldKey`]). Services are asked through [`Transport`] alone, and what they answer
//! is believed only as far as it fits what was asked. Start from [`Signer`] and [`attach`].

mod attach;
mod error;
mod held;
mod key;
pub mod legacy;
pub mod oidc;
mod pem;
mod services;
mod signer;
mod signing_config;
mod token;
mod transport;

pub use attach::{Attachment, attach};
pub use error::Error;
pub use held::{HeldKey, held, shown};
pub use key::KeyPair;
pub use services::log::{Generation, Log};
pub use signer::{Signer, Witnesses};
pub use signing_config::Services;
pub use token::{TOKEN_MAX, Token};
pub use transport::Transport;
