//! A control group of a job's own, which limits its memory and the number of its processes. Sources: cgroups(7);
//! admin-guide/cgroup-v2.rst and admin-guide/cgroup-v1/memory.rst of the kernel.
//!
//! Only root, or somebody to whom the groups were handed over (by systemd to each user's own units), can make one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kiln_disk::own;

use crate::limits::PROCESSES_MAX;

/// Of the memory of this machine, the part that one job may have.
const MEMORY_PART: (u64, u64) = (9, 10);
/// Names of groups start so.
const PREFIX: &str = "kiln-";
/// A group without a process that is older is nobody's.
const UNUSED_FOR: Duration = Duration::from_mins(1);
/// What has ended may still be in its group for a moment.
const TRIES: u32 = 50;
const WAIT: Duration = Duration::from_millis(2);

/// A place in which groups can be made, and what those limit.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    folder: PathBuf,
    version: Version,
    memory: bool,
    processes: bool,
    /// Bytes of memory that all in it may have together.
    ceiling: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// What a job of this machine is kept to beyond what its processes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// How many processes and threads.
    pub processes: Option<u64>,
}

/// What a group of this process limits; it is made and removed again.
pub fn limits() -> Limits {
    Group::make(None).map_or_else(Limits::default, |group| group.limits)
}

/// One job's groups: one, or one for each kind where version 1 is mounted. Removed when dropped.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// Each with where it says whether the kernel ended something in it for its memory.
    folders: Vec<(PathBuf, Option<&'static str>)>,
    limits: Limits,
}

impl Group {
    /// Makes a group with its limits; `None` where this process may make none. `memory` is in bytes.
    pub(crate) fn make(memory: Option<u64>) -> Option<Self> {
        let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
        let part = |all: u64| all / MEMORY_PART.1 * MEMORY_PART.0;
        let places = places(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"));
        let memory = memory.or_else(|| {
            let limits = places.iter().filter_map(|place| place.ceiling);
            limits.chain(read("/proc/meminfo").lines().find_map(total_memory)).min().map(part)
        })?;
        let group = Self::make_in(&places, memory);
        (!group.folders.is_empty()).then_some(group)
    }

    fn make_in(places: &[Place], memory: u64) -> Self {
        let mut group = Self::default();
        for place in places {
            sweep(&place.folder);
            let wanted = Limits {
                memory: (place.memory && group.limits.memory.is_none()).then_some(memory),
                processes: (place.processes && group.limits.processes.is_none()).then_some(PROCESSES_MAX),
            };
            if wanted == Limits::default() {
                continue;
            }
            // Where it is refused, the next place may do.
            let Ok(folder) = limited(&place.folder, place.version, wanted) else { continue };
            let events = match place.version {
                Version::Two => "memory.events",
                Version::One => "memory.oom_control",
            };
            group.folders.push((folder, wanted.memory.map(|_| events)));
            group.limits.memory = group.limits.memory.or(wanted.memory);
            group.limits.processes = group.limits.processes.or(wanted.processes);
        }
        group
    }

    /// Takes in a process, with all that it starts from then on. What cannot be taken in goes without.
    pub(crate) fn take(&self, pid: u32) {
        for (folder, _) in &self.folders {
            drop(fs::write(folder.join("cgroup.procs"), pid.to_string()));
        }
    }

    /// Whether the kernel ended a process because the memory was used up, and how much that is, in bytes.
    pub(crate) fn ran_out(&self) -> Option<u64> {
        let ended = |(folder, events): &(PathBuf, Option<&str>)| {
            let text = events.and_then(|events| fs::read_to_string(folder.join(events)).ok());
            text.is_some_and(|text| {
                text.lines().any(
                    |line| matches!(line.split_once(' '), Some(("oom_kill", count)) if count.trim() != "0"),
                )
            })
        };
        self.limits.memory.filter(|_| self.folders.iter().any(ended))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for (folder, _) in &self.folders {
            for _ in 0..TRIES {
                match own::remove_empty(folder) {
                    Err(error) if error.raw_os_error() == Some(libc::EBUSY) => std::thread::sleep(WAIT),
                    _ => break,
                }
            }
        }
    }
}

/// Makes a group in `place` and sets its limits.
fn limited(place: &Path, version: Version, limits: Limits) -> io::Result<PathBuf> {
    let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(place)?.keep();
    let memory = match version {
        Version::Two => "memory.max",
        Version::One => "memory.limit_in_bytes",
    };
    let set = |file, limit: Option<u64>| match limit {
        Some(limit) => fs::write(folder.join(file), limit.to_string()),
        None => Ok(()),
    };
    match set(memory, limits.memory).and_then(|()| set("pids.max", limits.processes)) {
        Ok(()) => Ok(folder),
        Err(error) => {
            drop(own::remove_empty(&folder));
            Err(error)
        }
    }
}

/// Removes the groups of kilns that were killed. The kernel removes none that has a process.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        let age = || entry.metadata().ok()?.modified().ok()?.elapsed().ok();
        if is_ours && age().is_some_and(|age| age > UNUSED_FOR) {
            drop(own::remove_empty(entry.path()));
        }
    }
}

/// `MemTotal:       16384256 kB`, in bytes.
fn total_memory(line: &str) -> Option<u64> {
    let number = line.strip_prefix("MemTotal:")?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?;
    number.checked_mul(1024)
}

/// Where groups can be made, the best first, by the files `mountinfo` and `cgroup` of /proc/self: beside this process's own group
/// (with version 2, a group with processes in it has none below that limit), or below it.
fn places(mounts: &str, own: &str) -> Vec<Place> {
    let mut places = Vec::new();
    for (root, mounted, kind, options) in mounts.lines().filter_map(mount) {
        let version = match kind {
            "cgroup2" => Version::Two,
            "cgroup" => Version::One,
            _ => continue,
        };
        let Some(path) = own.lines().find_map(|line| own_path(line, version, options)) else { continue };
        let Ok(below) = Path::new(path).strip_prefix(root) else { continue };
        let own = Path::new(mounted).join(below);
        match version {
            Version::Two => {
                let beside = own.parent().filter(|_| below != Path::new("")).map(Path::to_owned);
                for folder in beside.into_iter().chain([own]) {
                    let given = fs::read_to_string(folder.join("cgroup.subtree_control")).unwrap_or_default();
                    let has = |name: &str| given.split_ascii_whitespace().any(|word| word == name);
                    let (memory, processes) = (has("memory"), has("pids"));
                    let ceiling = ceiling(&folder, Path::new(mounted), version);
                    places.push(Place { folder, version, memory, processes, ceiling });
                }
            }
            Version::One => {
                let has = |name: &str| options.split(',').any(|word| word == name);
                let (memory, processes) = (has("memory"), has("pids"));
                let ceiling = ceiling(&own, Path::new(mounted), version);
                places.push(Place { folder: own, version, memory, processes, ceiling });
            }
        }
    }
    places.retain(|place| place.memory || place.processes);
    places
}

/// The least that a group and those above it allow.
fn ceiling(folder: &Path, mounted: &Path, version: Version) -> Option<u64> {
    let read = |folder: &Path, file: &str| fs::read_to_string(folder.join(file)).ok();
    match version {
        Version::Two => {
            let groups = folder.ancestors().take_while(|group| group.starts_with(mounted));
            groups.filter_map(|group| read(group, "memory.max")?.trim().parse().ok()).min()
        }
        Version::One => {
            let stat = read(folder, "memory.stat")?;
            stat.lines().find_map(|line| line.strip_prefix("hierarchical_memory_limit ")?.parse().ok())
        }
    }
}

/// `36 35 98:0 /root /mounted rw,noatime master:1 - kind source options`: root, mounted, kind and options. proc_pid_mountinfo(5).
fn mount(line: &str) -> Option<(&str, &str, &str, &str)> {
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ').skip(3);
    let mut after = after.split(' ');
    Some((before.next()?, before.next()?, after.next()?, after.nth(1)?))
}

/// `0::/path` of version 2; `4:memory:/path` of version 1, where one of its controllers is that of the mount.
fn own_path<'a>(line: &'a str, version: Version, options: &str) -> Option<&'a str> {
    let mut parts = line.splitn(3, ':');
    let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
    let is_it = match version {
        Version::Two => controllers.is_empty(),
        Version::One => controllers.split(',').any(|name| {
            ["memory", "pids"].contains(&name) && options.split(',').any(|option| option == name)
        }),
    };
    is_it.then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder that looks like a mounted tree of groups.
    fn tree(groups: &[(&str, &str)]) -> tempfile::TempDir {
        let tree = tempfile::tempdir().unwrap();
        for (group, control) in groups {
            own::folder(tree.path().join(group)).unwrap();
            fs::write(tree.path().join(group).join("cgroup.subtree_control"), control).unwrap();
        }
        tree
    }

    #[test]
    fn groups_are_made_beside_ones_own() {
        let tree = tree(&[("", "cpu memory pids\n"), ("app", "memory pids\n"), ("app/kiln.scope", "")]);
        fs::write(tree.path().join("memory.max"), "1073741824\n").unwrap();
        fs::write(tree.path().join("app/memory.max"), "max\n").unwrap();
        let at = tree.path().display();
        let mounts = format!("30 24 0:26 / {at} rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
        let found = places(&mounts, "0::/app/kiln.scope\n");
        let beside = Place {
            folder: tree.path().join("app"),
            version: Version::Two,
            memory: true,
            processes: true,
            ceiling: Some(1 << 30),
        };
        assert_eq!(found, [beside]);
        // In a container, the root of the mount is the group of the container.
        let mounts = format!("30 24 0:26 /app {at} ro - cgroup2 cgroup rw\n");
        assert_eq!(places(&mounts, "0::/app\n").len(), 1);
        assert_eq!(places(&mounts, "0::/elsewhere\n"), []);
    }

    #[test]
    fn groups_of_version_one_are_made_below_ones_own() {
        let mounts = "1 2 0:3 / /c/memory rw - cgroup cgroup rw,memory\n1 2 0:4 / /c/pids rw - cgroup cgroup rw,pids\n\
            1 2 0:5 / /c/cpu rw - cgroup cgroup rw,cpu\n1 2 0:6 / /c/unified rw - cgroup2 cgroup2 rw\n";
        let found = places(mounts, "8:pids:/\n4:memory:/a/b\n1:cpu:/\n0::/\n");
        let folders: Vec<_> = found
            .iter()
            .map(|place| (place.folder.to_str().unwrap(), place.memory, place.processes))
            .collect();
        assert_eq!(folders, [("/c/memory/a/b", true, false), ("/c/pids/", false, true)]);
    }

    #[test]
    fn limits_are_written_and_what_they_did_is_read() {
        let tree = tree(&[("app", "memory pids")]);
        let place = Place {
            folder: tree.path().join("app"),
            version: Version::Two,
            memory: true,
            processes: true,
            ceiling: Some(1 << 30),
        };
        let (left, recent) = (place.folder.join("kiln-old"), place.folder.join("kiln-new"));
        for folder in [&left, &recent] {
            own::new_folder(folder).unwrap();
        }
        let long_ago = std::time::SystemTime::now() - 2 * UNUSED_FOR;
        fs::File::open(&left).unwrap().set_modified(long_ago).unwrap();
        let group = Group::make_in(&[place], 1 << 30);
        assert!(!left.exists() && recent.exists(), "what stays is what another kiln may be about to use");
        assert_eq!(group.limits, Limits { memory: Some(1 << 30), processes: Some(PROCESSES_MAX) });
        let folder = group.folders[0].0.clone();
        group.take(4711);
        let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
        assert_eq!((read("memory.max"), read("pids.max")), ("1073741824".to_owned(), "8192".to_owned()));
        assert_eq!(read("cgroup.procs"), "4711");
        fs::write(folder.join("memory.events"), "low 0\noom 0\noom_kill 0\n").unwrap();
        assert_eq!(group.ran_out(), None);
        fs::write(folder.join("memory.events"), "low 0\noom 1\noom_kill 1\n").unwrap();
        assert_eq!(group.ran_out(), Some(1 << 30));
    }

    #[test]
    fn memory_of_a_machine() {
        assert_eq!(total_memory("MemTotal:       16384256 kB"), Some(16_777_478_144));
        assert_eq!(total_memory("MemFree: 1 kB"), None);
    }
}
