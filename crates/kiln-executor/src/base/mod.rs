//! What composing a base needs from this machine, and where the result goes.

mod settings;
mod store;
mod supply;

pub use settings::BaseSettings;
pub use store::{Packed, pack, write};
pub use supply::Supply;
