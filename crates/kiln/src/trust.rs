//! `[trust]` of kiln.toml: whom images must be signed by before anything is made of them.

mod gate;
mod settings;

pub(crate) use gate::Gate;
pub(crate) use settings::Settings;
