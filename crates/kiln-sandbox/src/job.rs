use std::path::PathBuf;
use std::time::Duration;

use kiln_rootfs::RootPath;
use serde::{Deserialize, Serialize};

/// The name of the host that a job sees where nobody chose one.
pub const HOSTNAME: &str = "kiln";

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
    /// Bytes of memory that it may have where [`crate::limits`] says that there is a limit; without a number, nine tenths of this
    /// machine's.
    pub memory: Option<u64>,
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
            memory: None,
            hostname: HOSTNAME.to_owned(),
            user: User::default(),
            ids: Ids::One,
        }
    }
}

impl Job {
    /// Whether the process that starts it has something to do between its namespaces and its first process.
    pub(crate) fn waits_for_outside(&self) -> bool {
        matches!(self.ids, Ids::Many { .. }) || self.network == Network::Bridged
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
    /// All below `count`, each of them `first` higher outside. Needs root outside, if only of a user namespace. Owners
    /// are real.
    Many {
        /// What 0 is outside.
        first: u32,
        /// How many there are; at least [`Ids::LEAST`].
        count: u32,
    },
}

impl Ids {
    /// What root of the machine gives a job: ids that belong to nobody outside, and as many.
    const PLENTY: u32 = 2_000_000_000;
    /// Below this, images have users who would not exist: `nobody` is 65534.
    pub const LEAST: u32 = 65_535;

    /// The best this process can have: [`Ids::Many`] for root with ids to spare, [`Ids::One`] for all others.
    pub fn best() -> Self {
        let map = |name: &str| {
            let text = std::fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
            spare(&text)
        };
        let (users, groups) = (map("uid_map"), map("gid_map"));
        let first = users.start.max(groups.start);
        let count = users.end.min(groups.end).saturating_sub(first).min(Self::PLENTY.into());
        match (u32::try_from(first), u32::try_from(count)) {
            (Ok(first), Ok(count)) if count >= Self::LEAST && rustix::process::geteuid().is_root() => {
                Self::Many { first, count }
            }
            _ => Self::One,
        }
    }
}

/// The ids of a namespace that a job may have, by its map: not that of root, and not those that people have where there
/// are others. Source: user_namespaces(7).
fn spare(map: &str) -> std::ops::Range<u64> {
    let ranges = map.lines().filter_map(|line| {
        let mut numbers = line.split_ascii_whitespace().map(str::parse::<u64>);
        let (start, _, count) = (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
        let end = start.checked_add(count)?;
        let plenty = u64::from(Ids::PLENTY);
        Some(if end >= 2 * plenty && start < plenty { plenty..end } else { start.max(1)..end })
    });
    ranges.max_by_key(|range| range.end.saturating_sub(range.start)).unwrap_or(0..0)
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
    /// What this machine reaches, this machine itself too.
    Host,
    /// What this machine reaches, but nothing of its loopback or link-local; as [`Network::Host`] where there is no
    /// [`crate::Bridge`] or it cannot be opened.
    Bridged,
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
    /// What it could reach.
    pub network: Network,
    /// Why a bridge that was there could not be opened.
    pub no_bridge: Option<String>,
    /// The kernel ended a process because it and the others had all the memory that they may have, in bytes.
    pub ran_out: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_to_spare() {
        assert_eq!(spare("         0          0 4294967295\n"), 2_000_000_000..4_294_967_295);
        // An ordinary user with subordinate ids; a container of such a user.
        assert_eq!(spare("0 1000 1\n1 100000 65536\n"), 1..65_537);
        assert_eq!(spare("0 100000 65536\n"), 1..65_536);
        assert_eq!(spare("0 1000 1\n"), 1..1);
        assert_eq!(spare("x y z\n18446744073709551615 0 2\n"), 0..0);
    }
}
