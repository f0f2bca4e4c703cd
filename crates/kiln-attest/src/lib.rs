//! Statements about images: in-toto statements, DSSE envelopes, Sigstore bundles, SLSA provenance, VEX.
//!
//! Shapes and bytes only: nothing here signs, and nothing here says that a signature is right (that is
//! kiln-trust). Reading is strict: unknown fields where the specifications forbid them, more than one signature, or
//! content over the caps is an error. Start from [`Statement`] and [`Bundle`].

mod bundle;
mod error;
pub mod legacy;
pub mod predicate;
mod provenance;
mod statement;
mod vex;

pub use bundle::{BUNDLE_MAX, Bundle, Envelope, pae};
pub use error::Error;
pub use provenance::{Material, Provenance};
pub use statement::{Statement, Subject};
pub use vex::{VEX_JUSTIFICATIONS, Vex, VexProduct, VexStatement, VexStatus};
