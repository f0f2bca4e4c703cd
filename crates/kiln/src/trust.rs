//! `[trust]` of kiln.toml: whom images must be signed by before anything is made of them, and whom certificates are traced
//! back to.

mod gate;
mod roots;
mod settings;

pub(crate) use gate::Gate;
pub(crate) use roots::{Change, Kept, kept, root, root_if_known};
pub(crate) use settings::Settings;
