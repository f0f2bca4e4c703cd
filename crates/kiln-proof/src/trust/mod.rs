//! `[trust]` of kiln.toml: whom images must be signed by before anything is made of them, and whom certificates are traced
//! back to.

mod full_name;
mod gate;
mod identity;
mod opened;
mod place;
mod roots;
mod rule;
mod settings;

pub use gate::Gate;
pub use identity::{claim, matcher};
pub use roots::{Change, Kept, kept, root, root_if_known};
pub use settings::TrustSettings;
