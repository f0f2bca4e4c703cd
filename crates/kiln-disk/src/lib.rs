//! The one door to the disk: folders that hold content of others are reached by descriptor, and nothing leaves them;
//! files of kiln's own appear whole, under names that nobody can guess.
//!
//! [`Dir`] is a folder held open. What lies in it is named by [`RootPath`](kiln_rootfs::RootPath) and found without going
//! through a symbolic link, so whatever stands there, nothing outside is reached, also while others change it.

mod attributes;
mod beneath;
mod dir;
mod located;
mod read;
mod remove;
mod writer;

pub use dir::{Dir, Meta};
pub use located::Located;
pub use read::{open, read, read_text};
pub use remove::remove;
pub use writer::Writer;
