//! An app as a graph of steps.
//!
//! Three stages run in a builder that is never shipped: one installs what building needs, one builds over it, one installs what
//! production needs. The image is a base and two layers over it: the dependencies of production, and what the app ships.

mod as_locked;
mod configure;
mod entry;
mod environment;
mod installed;
mod lower;
mod manifest;
mod modules;
mod natives;
mod pnp;
mod project_settings;
mod settings_file;
mod split;
mod step;
mod yarn_settings;

pub use configure::{BaseImage, Facts};
pub use entry::check_entry;
pub use installed::installed_packages;
pub use lower::{Graphed, Request, lower};
pub use natives::check_natives;
pub use step::{CERTIFICATES, NPMRC, NPMRC_WITHOUT_LOGINS, Surroundings, YARNRC, straight};
