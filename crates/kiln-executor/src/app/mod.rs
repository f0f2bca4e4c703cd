//! From an app to an image: plan, base, what commands may use of this machine.

mod addresses;
mod bases;
mod run;
mod sources;
mod surroundings;
mod wanted;

pub use run::build;
pub use wanted::Wanted;
