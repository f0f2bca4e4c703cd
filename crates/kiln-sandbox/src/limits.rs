//! How much a job may have, and which further namespaces: none.

use std::fs;
use std::io;
use std::path::Path;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::setup::{SetupError, step};

/// How many processes and threads a job may have.
pub(crate) const PROCESSES_MAX: u64 = 8192;
/// How many files a process may have open, and how many it starts with: those of Docker's, so that programs that close all
/// there might be do not take minutes.
const FILES_MAX: u64 = 524_288;
const FILES: u64 = 65_536;
/// The highest that proc_pid_oom_score_adj(5) knows.
const GOES_FIRST: &str = "1000";
const NAMESPACES: [&str; 8] = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"];
/// Since this version of Linux `pid_max` is one of the process namespace; before, it was one of the machine.
const OWN_PID_MAX: (u32, u32) = (6, 14);

/// No dumps, and a command that starts or opens others without end stops here and not where the machine does.
pub(crate) fn limit_process() -> Result<(), SetupError> {
    let limits = [
        (Resource::Core, 0, 0),
        (Resource::Nofile, FILES, FILES_MAX),
        (Resource::Nproc, PROCESSES_MAX, PROCESSES_MAX),
    ];
    for (resource, current, maximum) in limits {
        let maximum = getrlimit(resource).maximum.map_or(maximum, |hard| hard.min(maximum));
        let limit = Rlimit { current: Some(current.min(maximum)), maximum: Some(maximum) };
        step("set the limits of a process", setrlimit(resource, limit))?;
    }
    Ok(())
}

/// A job that takes all memory is ended before anything else on this machine is, and as a whole: process 1 has the score,
/// too. To be called while `/proc` is that of this machine or of this job.
pub(crate) fn go_first() -> Result<(), SetupError> {
    match fs::write("/proc/self/oom_score_adj", GOES_FIRST) {
        // A container may show no such file, or lock it.
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EROFS | libc::EACCES)) => {
            Ok(())
        }
        other => step("go first where memory is short", other),
    }
}

/// Closes the user namespace of this process to further namespaces of all kinds, and its process namespace to more than so
/// many processes. `proc` is a file system of these namespaces. To be called only in a user namespace of its own: elsewhere
/// these are settings of the machine.
pub(crate) fn limit_namespaces(proc: &Path) -> Result<(), SetupError> {
    for kind in NAMESPACES {
        let limit = proc.join(format!("sys/user/max_{kind}_namespaces"));
        match fs::write(limit, "0") {
            // This kernel has no namespaces of this kind, or counts none.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => step("close the way to more namespaces", other)?,
        }
    }
    if kernel() >= Some(OWN_PID_MAX) {
        step(
            "limit the number of processes",
            fs::write(proc.join("sys/kernel/pid_max"), PROCESSES_MAX.to_string()),
        )?;
    }
    Ok(())
}

fn kernel() -> Option<(u32, u32)> {
    version(rustix::system::uname().release().to_str().ok()?)
}

fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_linux() {
        assert_eq!(version("6.18.44-fc-v857"), Some((6, 18)));
        assert_eq!(version("5.4"), Some((5, 4)));
        assert_eq!(version("6-x"), None);
    }
}
