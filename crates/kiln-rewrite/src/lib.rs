//! From any Dockerfile of a Node app to one that is hardened: deps → build → prod-deps → runtime, not root, and no more in
//! the image than what runs.
//!
//! [`rewrite`] reads what the old file does ([`recipe`](Recipe)), decides what the new one is made of, and says why; or it
//! says why it cannot be right. A file that is hardened already is left alone, so a rewrite of a rewritten file changes
//! nothing. Pure: files are read and written by the caller.
//! Start from [`Project`] and [`rewrite`].

mod answer;
mod commands;
mod faults;
mod health;
mod ignore;
mod install;
mod json;
mod kept;
mod layout;
mod manifest;
mod node;
mod npmrc;
mod package_lists;
mod project;
mod recipe;
mod render;
mod rewrite;
mod secrets;
mod stages;
mod start;
mod target;

pub use answer::{Answer, Choice, Fault, Obstacle, Rewritten};
pub use project::Project;
pub use recipe::Recipe;
pub use rewrite::rewrite;
pub use target::RewriteTarget;
