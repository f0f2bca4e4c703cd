//! Says whether a signed statement about an image is right, without asking anyone.
//!
//! This is the only crate that makes a [`Verified`] value, so code that takes one cannot be given anything else.
//! Every error is a refusal. Start from [`PublicKey`] and [`verify_image`].

mod error;
mod key;
mod verify;

pub use error::Error;
pub use key::PublicKey;
pub use verify::{Outcome, Rejected, Report, Verified, verify_bundle, verify_image};
