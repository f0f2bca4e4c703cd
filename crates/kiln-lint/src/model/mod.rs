//! What a Dockerfile does, instruction by instruction: variables, user, folder, shell, base; and what runs.

mod build;
mod effects;
mod followed;
mod installs;
mod state;
mod variables;

pub use followed::{Model, StageModel, Step};
pub use installs::{Action, PackageCommand, package_command};
pub use state::{Account, Setting, State};
