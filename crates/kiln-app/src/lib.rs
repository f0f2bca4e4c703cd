//! An app folder, read once for every part that needs one: its files, what of them is left out, and what is known of it.
//!
//! There is one walk, with one set of caps. It goes by descriptor and through no link, waits for no pipe, and lists what it
//! could not read, so that whoever asks decides what that means. What is left out depends on who asks ([`Rules`]):
//!
//! | who asks | by what |
//! |---|---|
//! | `build -f` | `.dockerignore`, or the one that belongs to the Dockerfile |
//! | `plan`, `ship`, `fix` | `.dockerignore`; where there is none, `.gitignore` for what a build makes again |
//! | `lint` | nothing; it knows what `.dockerignore` leaves out |
//! | `scan` | nothing |
//!
//! Nothing here decides how an app is built, and nothing is written. Start from [`Folder`] and [`App`].

mod app;
mod around;
mod beside;
mod commands;
mod context;
mod docker_ignore;
mod dockerfiles;
mod everything;
mod facts;
mod folder;
mod git_ignore;
mod guess;
mod made_again;
mod missed;
mod outside;
mod read_in;
mod rules;
mod walk;

pub use app::App;
pub use around::Around;
pub use context::BuildContext;
pub use docker_ignore::DockerIgnore;
pub use dockerfiles::{dockerfiles, is_dockerfile};
pub use folder::{Folder, absent};
pub use git_ignore::GitIgnore;
pub use missed::{Missed, Reason};
pub use rules::{INSTALLED, Rules, VERSION_CONTROL};
pub use walk::{DEPTH_MAX, ENTRIES_MAX};
