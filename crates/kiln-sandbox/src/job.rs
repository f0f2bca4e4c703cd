use std::path::PathBuf;
use std::time::Duration;

use kiln_rootfs::RootPath;
use serde::{Deserialize, Serialize};

/// One command and the world it sees.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// The root directory.
    pub root: Root,
    /// What is mounted into it, in order.
    pub mounts: Vec<Mount>,
    /// Program and arguments; the program is looked up in the `PATH` of `env`.
    pub argv: Vec<String>,
    /// The whole environment.
    pub env: Vec<(String, String)>,
    /// Current directory, absolute.
    pub cwd: String,
    /// What it may reach.
    pub network: Network,
    /// How long it may run.
    pub timeout: Option<Duration>,
}

/// The root directory of a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Root {
    /// A folder that the job cannot change.
    ReadOnly(PathBuf),
    /// Folders, topmost first, that the job changes only in `upper`.
    Overlay {
        /// Folders that stay as they are, topmost first.
        lower: Vec<PathBuf>,
        /// Takes what the job changes.
        upper: PathBuf,
        /// An empty folder on the file system of `upper`.
        work: PathBuf,
    },
}

/// Something mounted into the root of a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Mount {
    /// A file or folder of this machine.
    Bind {
        /// On this machine.
        source: PathBuf,
        /// In the root.
        target: RootPath,
        /// The job cannot change it.
        read_only: bool,
    },
    /// Folders laid over each other.
    Overlay {
        /// Folders that stay as they are, topmost first.
        lower: Vec<PathBuf>,
        /// Takes what the job changes.
        upper: PathBuf,
        /// An empty folder on the file system of `upper`.
        work: PathBuf,
        /// In the root.
        target: RootPath,
    },
    /// An empty folder in memory.
    Tmpfs {
        /// In the root.
        target: RootPath,
    },
}

/// What a job may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Network {
    /// What this machine reaches.
    Host,
    /// Nothing but its own loopback.
    None,
}

/// How a job ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Exit code; 128 plus the signal's number where one ended it.
    pub code: i32,
    /// It was stopped because its time was over.
    pub timed_out: bool,
    /// Its last lines of output, oldest first.
    pub last_lines: Vec<String>,
}
