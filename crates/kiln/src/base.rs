//! What composing a base needs from this machine, and where the result goes.

mod settings;
mod store;
mod supply;

pub(crate) use settings::Settings;
pub(crate) use store::{Packed, pack, write};
pub(crate) use supply::Supply;
