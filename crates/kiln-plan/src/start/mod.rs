//! How the app starts: what its start script runs in the end, as arguments of `node`.
//!
//! An image has no shell and no package manager, and node is its first process. So a script is followed, through others, through
//! programs that only set variables, to the file that node runs. What a script does before it starts is set aside and told; what
//! cannot be followed stops, with the one thing that is missing.

mod aside;
mod before;
mod choose;
mod follow;
mod node;
mod outputs;
mod programs;
mod scripts;
mod servers;
mod wrappers;

pub(crate) use choose::{choose_app, choose_entry};
pub use choose::{default_start, script_start};
use kiln_node::NodeArguments;
use serde::Serialize;

/// Ends of files that node runs without their types.
const TYPESCRIPT: [&str; 3] = [".ts", ".mts", ".cts"];
/// Modules that translate while the app runs, where they are loaded first.
const TRANSLATORS: [&str; 2] = ["tsx", "ts-node"];

/// What starts the app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// Arguments of `node`.
    pub argv: Vec<String>,
    /// Variables that the script sets before it.
    pub env: Vec<(String, String)>,
    /// The folder it starts in, from the root of the app; empty for the root.
    pub folder: String,
    /// What the script does besides, and the image does not.
    pub aside: Vec<Aside>,
    /// Commands that build what is started, which the build script does not run: words of each.
    pub builds: Vec<Vec<String>>,
    /// What was changed on the way, and why.
    pub notes: Vec<String>,
    /// The port that the command names or the program is known for.
    pub port: Option<u16>,
}

impl Start {
    /// Whether node runs the app from its TypeScript.
    pub(crate) fn runs_typescript(&self) -> bool {
        let read = NodeArguments::read(&self.argv);
        let translates =
            read.preloads().any(|module| TRANSLATORS.iter().any(|name| module.starts_with(name)));
        translates || read.file.is_some_and(|file| TYPESCRIPT.iter().any(|end| file.ends_with(end)))
    }
}

/// Something that a start script does besides starting the app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Aside {
    /// As it stands in the script.
    pub command: String,
    /// What it is.
    pub what: AsideKind,
}

/// What is set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AsideKind {
    /// It builds, which happened when the image was made.
    Build,
    /// It prepares a database or the like, which one job does before the app is started, not each copy of it.
    Migration,
    /// It makes logs readable for people, who read them elsewhere.
    Logs,
}

impl AsideKind {
    /// What becomes of it, as a fragment.
    pub fn told(self) -> &'static str {
        match self {
            Self::Build => "it builds, and the image is built already",
            Self::Migration => {
                "it prepares data: run it once before the app starts, as an init container or a job"
            }
            Self::Logs => "it makes logs readable; the app writes them as they are",
        }
    }
}
