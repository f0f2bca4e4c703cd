//! What is said about an image, and whether to believe it: statements found beside it and added to it, what it holds, what is
//! known about that, and the verdict over all of it.
//!
//! Start from [`judge`], which names an image, gathers the evidence about it and asks the checks of a profile. [`Found`] is what
//! lies beside an image, [`seal`] what a build says of it, [`Gate`] who must have signed what a build is made from.

pub mod advisories;
mod attached;
mod built;
mod evidence;
mod found;
mod inventory;
mod keys;
pub mod legacy;
mod provenance;
mod seal;
mod statements;
pub mod trust;

pub use attached::index;
pub use built::Built;
pub use evidence::{Advice, about_build, about_image, attested, judge};
pub use found::{Depth, Found};
pub use inventory::inventory;
pub use keys::{Keys, read_public};
pub use seal::{REQUIRED, seal, verify_sealed};
pub use statements::{add, count, kind_of, predicate_type, refuse_legacy, signer_json, verify};
pub use trust::Gate;
