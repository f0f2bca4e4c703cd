use std::fs;
use std::path::PathBuf;

use kiln_disk::{Scratch, disk_failure};
use kiln_finding::{Class, Failure, size};
use kiln_rootfs::RootPath;
use kiln_sandbox::{Job, Mount, Root, Sandbox};

use super::found::Found;
use crate::context::Context;

const ABOUT: &str = "build steps";
/// A program that is nowhere: everything but it is there when the sandbox looks for it.
const NO_PROGRAM: &str = "/kiln-doctor";

/// Whether the sandbox of build steps can be made: its namespaces, mounts and filters, over an overlay. It is made, as for a step.
pub(super) fn namespaces(context: &Context) -> Found {
    match try_sandbox(context) {
        Ok(()) => Found::fine(ABOUT, "run in namespaces of their own, over an overlay"),
        Err(failure) => {
            let cause = failure.told();
            let help =
                failure.help.unwrap_or_else(|| "run kiln where user namespaces are allowed".to_owned());
            Found::broken(ABOUT, cause, cure().unwrap_or(help))
        }
    }
}

/// What one step may take of this machine.
pub(super) fn limits() -> Found {
    let about = "limits of steps";
    let limits = kiln_sandbox::limits();
    let memory = limits.memory.map(|bytes| format!("{} of memory", size(bytes)));
    let processes = limits.processes.map(|count| format!("{count} processes"));
    match (memory, processes) {
        (Some(memory), Some(processes)) => {
            Found::fine(about, format!("{memory} and {processes}, by cgroups"))
        }
        (Some(limit), None) | (None, Some(limit)) => {
            Found::weak(about, format!("{limit}, and no other: its cgroup controller is off"), UNLIMITED)
        }
        (None, None) => {
            let what = "none by cgroups: where memory runs out, steps are ended before anything else";
            Found::weak(about, what, UNLIMITED)
        }
    }
}

/// How a process gets control groups of its own.
const UNLIMITED: &str =
    "systemd-run --user --scope kiln …, or hand a cgroup with memory and pids over to kiln";

fn try_sandbox(context: &Context) -> Result<(), Failure> {
    // Where the folders of steps are: an overlay may be refused there and work elsewhere.
    let parent = context.machine.cache_dir.join("spool");
    let scratch = Scratch::create(&parent)?;
    let root = scratch.folder("root")?;
    for folder in ["app", "proc", "dev", "tmp", "etc", "root"] {
        let folder = root.join(folder);
        kiln_disk::own::new_folder(&folder).map_err(|error| disk_failure("create", &folder, &error))?;
    }
    let mount = Mount::Overlay {
        lower: vec![scratch.folder("lower")?],
        upper: scratch.folder("upper")?,
        work: scratch.folder("work")?,
        target: RootPath::new("app")?,
    };
    let job = Job {
        root: Root::ReadOnly(root),
        mounts: vec![mount],
        argv: vec![NO_PROGRAM.to_owned()],
        ..Job::default()
    };
    let program = std::env::current_exe()
        .map_err(|error| disk_failure("find", &PathBuf::from("/proc/self/exe"), &error))?;
    match Sandbox::new(program).run(&job, &mut |_| {}) {
        // It came as far as that.
        Err(error) if error.to_string().contains(NO_PROGRAM) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(finished) => {
            let what = format!("a trial of the sandbox ended with exit code {}", finished.code);
            Err(Failure::new("doctor.sandbox", Class::Environment, what)
                .with_cause(finished.last_lines.join(" ")))
        }
    }
}

/// The setting of this machine that stands in the way, if it is a known one. Sources: user_namespaces(7); Ubuntu's and Debian's
/// release notes on unprivileged user namespaces.
fn cure() -> Option<String> {
    let is = |path: &str, value: &str| fs::read_to_string(path).is_ok_and(|text| text.trim() == value);
    if is("/proc/sys/user/max_user_namespaces", "0") {
        return Some("sysctl -w user.max_user_namespaces=15000".to_owned());
    }
    if is("/proc/sys/kernel/unprivileged_userns_clone", "0") {
        return Some("sysctl -w kernel.unprivileged_userns_clone=1".to_owned());
    }
    if is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1") {
        return Some(
            "AppArmor forbids it: a profile for kiln with `userns,`, or sysctl -w \
             kernel.apparmor_restrict_unprivileged_userns=0"
                .to_owned(),
        );
    }
    None
}
