//! Says whether a signed statement about an image is right, without asking anyone.
//!
//! This is the only crate that makes a [`Verified`] value, so code that takes one cannot be given anything else.
//! Every error is a refusal. Certificates are checked by the sigstore project's own library, behind [`Authority`].
//! Start from [`Authority`], [`Requirement`] and [`verify_image`].

mod artifact;
mod authority;
mod blob;
mod certificate;
mod error;
mod evidence;
mod identity;
mod image_rule;
mod inclusion;
mod key;
mod published;
mod read;
mod reason;
mod report;
mod requirement;
mod root;
mod scan;
mod source;
mod unseen;
mod verify;

pub use artifact::Artifact;
pub use authority::{Authority, Certified, LoggedKey};
pub use blob::verify_blob;
pub use certificate::Certificate;
pub use error::Error;
pub use evidence::{Evidence, Form};
pub use identity::{Claim, Identity, Matcher};
pub use image_rule::{ImageRule, NamePattern};
pub use inclusion::check_inclusion;
pub use key::PublicKey;
pub use published::{Mirror, PUBLISHED_MAX, Published};
pub use report::{Examined, Outcome, Rejection, Signer, TrustReport, Verdict, Verified};
pub use requirement::{Requirement, Rule};
pub use root::TrustRoot;
pub use unseen::Unseen;
pub use verify::{bundles, verify_bundle, verify_image};
