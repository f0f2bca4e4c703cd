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
    /// Name of the host it sees.
    pub hostname: String,
    /// Who it runs as.
    pub user: User,
    /// Which ids exist for it.
    pub ids: Ids,
}

impl Default for Job {
    /// No command, as root of one id, without network.
    fn default() -> Self {
        Self {
            root: Root::ReadOnly(PathBuf::new()),
            mounts: Vec::new(),
            argv: Vec::new(),
            env: Vec::new(),
            cwd: "/".to_owned(),
            network: Network::None,
            timeout: None,
            hostname: "kiln".to_owned(),
            user: User::default(),
            ids: Ids::One,
        }
    }
}

/// Numeric user, group and further groups inside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Numeric user.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Further groups; they count only where there are [`Ids::Many`].
    pub groups: Vec<u32>,
}

/// Which user and group ids exist inside, and what they are outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ids {
    /// Only that of the job's user, which is whoever runs kiln. Needs no rights at all. Owners are notes
    /// ([`crate::OWNER`]) on files.
    One,
    /// All from 0 to [`Ids::COUNT`], each of them `first` higher outside. Needs root outside. Owners are real.
    Many {
        /// What 0 is outside.
        first: u32,
    },
}

impl Ids {
    /// How many ids there are inside under [`Ids::Many`].
    pub const COUNT: u32 = 2_000_000_000;

    /// The best this process can have: [`Ids::Many`] for root, [`Ids::One`] for all others.
    pub fn best() -> Self {
        let is_root = rustix::process::geteuid().is_root();
        let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        let last: u64 = map.split_ascii_whitespace().nth(2).and_then(|count| count.parse().ok()).unwrap_or(0);
        let first = Self::COUNT;
        if is_root && last >= u64::from(first) + u64::from(Self::COUNT) {
            Self::Many { first }
        } else {
            Self::One
        }
    }
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
    /// What the kernel tells of devices and networks, at `/sys`, to be read only.
    Sys,
    /// An empty folder in memory.
    Tmpfs {
        /// In the root.
        target: RootPath,
        /// The most it may hold, in bytes.
        size: Option<u64>,
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
