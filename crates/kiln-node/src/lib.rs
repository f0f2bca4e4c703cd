//! Node.js projects as values: `package.json`, lock files of npm, pnpm, yarn and bun, workspaces, start scripts; and all that
//! is known of an app together, as [`AppFacts`].
//!
//! Everything here is read from bytes; nothing is run, fetched or looked up on disk. A broken `package.json` is an
//! error with line and column; a lock file that disagrees with it is a list of disagreements, not an error.
//! Start from [`PackageJson`] and [`Lock`].

mod allowances;
mod arguments;
mod bundlers;
mod error;
mod facts;
mod json;
mod known_scripts;
mod lock;
mod natives;
mod package_json;
mod script;
mod workspace;
mod yarn;

pub use allowances::ScriptAllowances;
pub use arguments::{NodeArguments, NodeOption};
pub use bundlers::is_bundler;
pub use error::Error;
pub use facts::{AppFacts, Beside, NODE_VERSION_FILES, NodeRequest, StartCommand};
pub use json::from_json;
pub use known_scripts::{is_for_desk, is_needless_script};
pub use lock::{Direct, Lock, LockFormat, LockKind, LockedPackage, Need, PinnedForAll, Platforms};
pub use natives::{Fetcher, Native, fetcher, native};
pub use package_json::{Manager, ManagerPin, PackageJson};
pub use script::{Command, Joint, PlainCommand, Word, assignment, commands, plain};
pub use workspace::{LinkedProject, WorkspaceGlobs, climbs_out, pnpm_workspace_globs};
pub use yarn::{Linker, Yarn};
