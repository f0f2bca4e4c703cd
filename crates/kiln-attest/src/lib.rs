//! Statements about images: in-toto statements, DSSE envelopes, Sigstore bundles, SLSA provenance, VEX.
//!
//! Shapes and bytes only: nothing here signs, and nothing here says that a signature is right (that is
//! kiln-trust). Reading is strict: unknown fields where the specifications forbid them, more than one signature, or
//! content over the caps is an error. Start from [`Statement`] and [`Bundle`].

pub mod attached;
mod bundle;
mod envelope;
mod error;
pub mod legacy;
mod log_entry;
pub mod predicate;
mod provenance;
mod size;
mod sources;
mod statement;
mod vex;

pub use bundle::{Bundle, Content, Signer};
pub use envelope::{Envelope, pae};
pub use error::Error;
pub use log_entry::{LogEntry, Proof};
pub use provenance::{Material, Provenance};
pub use size::BUNDLE_MAX;
pub use sources::{SourceChanges, SourceCommit};
pub use statement::{Statement, StatementSubject};
pub use vex::{VEX_JUSTIFICATIONS, Vex, VexProduct, VexStatement, VexStatus};
