//! The one door to the disk: folders that hold content of others are reached by descriptor, and nothing leaves them;
//! files of kiln's own appear whole, under names that nobody can guess.
//!
//! [`Dir`] is a folder held open. What lies in it is named by [`RootPath`](kiln_rootfs::RootPath) and found without going
//! through a symbolic link, so whatever stands there, nothing outside is reached, also while others change it.
//!
//! [`Incoming`] is a file of kiln's own in the making, [`replace`] writes a small one, [`Output`] is where a user wants a result, [`Lock`] keeps others away.

mod attributes;
mod beneath;
mod dir;
mod disk_failure;
mod incoming;
mod located;
mod lock;
mod output;
pub mod own;
mod read;
mod remove;
mod replace;
mod scratch;
mod writer;

pub use dir::{Dir, Meta};
pub use disk_failure::disk_failure;
pub use incoming::{Incoming, is_incoming, resume, sweep, sweep_where};
pub use located::Located;
pub use lock::{Holding, Lock};
pub use output::{Links, Output, write_output};
pub use read::{DOCUMENT_MAX, open, read, read_given, read_given_text, read_text};
pub use remove::remove;
pub use replace::{Durability, PLAIN, PRIVATE, create, replace, replace_from};
pub use scratch::Scratch;
pub use writer::Writer;
