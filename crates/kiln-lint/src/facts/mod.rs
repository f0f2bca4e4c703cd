//! What is known of images, Node lines and packages: data files, read once.

mod bases;
mod image;
mod node;
mod tools;

pub use bases::{Base, Dead, Libc, base_of, dead_name, glibc_of};
pub use image::ImageName;
pub use node::{Line, is_npm_command, line, node_major, npm_commands, recommended};
pub use tools::development_tool;
pub(crate) use tools::tool_is_own;
