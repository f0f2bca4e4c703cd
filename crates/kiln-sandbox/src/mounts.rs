//! The file systems a job sees, and the step into them.

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use kiln_rootfs::RootPath;
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_bind_recursive, mount_change,
    unmount,
};

use crate::limits::limit_namespaces;
use crate::namespaces::Made;
use crate::point::{Point, by_descriptor};
use crate::read_only::make_read_only;
use crate::setup::{SetupError, step};
use crate::{Job, Mount, Root};

/// Devices that programs expect, bound from this machine: a user namespace cannot make device nodes.
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
const DEVICE_LINKS: [(&str, &str); 4] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
];
/// What changes this machine. Source: containerd, pkg/oci/spec.go.
const LOCKED: [&str; 5] = ["proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"];
/// What tells of this machine: containerd's list, and what lies below `/sys` where no `/sys` of a job's own can be had.
const HIDDEN: [&str; 16] = [
    "proc/acpi",
    "proc/asound",
    "proc/kcore",
    "proc/keys",
    "proc/latency_stats",
    "proc/sched_debug",
    "proc/scsi",
    "proc/timer_list",
    "proc/timer_stats",
    "sys/devices/virtual/powercap",
    "sys/firmware",
    "sys/fs/bpf",
    "sys/fs/pstore",
    "sys/kernel/debug",
    "sys/kernel/security",
    "sys/kernel/tracing",
];
/// Where the new root is put together. Every machine has it, and what it holds is only hidden inside.
const STAGE: &str = "/tmp";

/// Mounts everything and makes it the root of this process.
pub(crate) fn enter_root(job: &Job, sources: &Sources, made: Made) -> Result<(), SetupError> {
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    step("keep mounts from this machine", mount_change("/", private))?;
    step("mount the stage", mount("tmpfs", STAGE, "tmpfs", MountFlags::empty(), Some(c"mode=0755")))?;
    let root = Path::new(STAGE).join("root");
    step("make the stage", fs::create_dir(&root))?;
    sources.mount_root(&job.root, &root)?;
    mount_devices(&root)?;
    mount_proc(&root)?;
    // All that is the kernel's is in place, and closed, before anything of others is mounted.
    sources.mount_kernels(job, &root)?;
    if made.user {
        limit_namespaces(&root.join("proc"))?;
    }
    guard(&root)?;
    for (number, job_mount) in job.mounts.iter().enumerate() {
        sources.mount(number, job_mount, &root)?;
    }
    step("enter the root", std::env::set_current_dir(&root))?;
    // With both names the same, the old root ends up on top of the new one and is taken off again
    // (pivot_root(2), "NOTES").
    step("pivot to the root", rustix::process::pivot_root(".", "."))?;
    step("leave the old root", unmount(".", UnmountFlags::DETACH))?;
    step("enter the root", std::env::set_current_dir("/"))
}

/// Folders and files of this machine, held open, so that they can be reached by descriptor whatever is mounted
/// over their names.
pub(crate) struct Sources {
    root: Vec<File>,
    mounts: Vec<Vec<File>>,
}

impl Sources {
    pub(crate) fn open(job: &Job) -> Result<Self, SetupError> {
        let root = match &job.root {
            Root::ReadOnly(folder) => open_all([folder])?,
            Root::Overlay { lower, upper, work } => open_all([upper, work].into_iter().chain(lower))?,
        };
        let mounts = job
            .mounts
            .iter()
            .map(|job_mount| match job_mount {
                Mount::Bind { source, .. } => open_all([source]),
                Mount::Overlay { lower, upper, work, .. } => open_all([upper, work].into_iter().chain(lower)),
                Mount::Sys => open_all([&PathBuf::from("/sys")]),
                Mount::Tmpfs { .. } => Ok(Vec::new()),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { root, mounts })
    }

    fn mount_root(&self, root: &Root, target: &Path) -> Result<(), SetupError> {
        match root {
            Root::ReadOnly(_) => bind(&by_descriptor(&self.root[0]), target, true),
            Root::Overlay { .. } => overlay(&self.root, target),
        }
    }

    /// Shows what the kernel tells, where a job wants it.
    fn mount_kernels(&self, job: &Job, root: &Path) -> Result<(), SetupError> {
        let kernels =
            job.mounts.iter().zip(&self.mounts).filter(|(job_mount, _)| matches!(job_mount, Mount::Sys));
        kernels.into_iter().try_for_each(|(_, sources)| sys(&sources[0], &Point::make(root, "sys", true)?))
    }

    fn mount(&self, number: usize, job_mount: &Mount, root: &Path) -> Result<(), SetupError> {
        let sources = &self.mounts[number];
        match job_mount {
            Mount::Sys => Ok(()),
            Mount::Bind { target, read_only, .. } => {
                refuse_kernels(target)?;
                let is_dir = step("look at the source of a bind", sources[0].metadata())?.is_dir();
                let point = Point::make(root, target.as_str(), is_dir)?;
                let name = || format!("bind at `/{target}`");
                let inside = step(name(), point.open())?;
                step(name(), mount_bind_recursive(by_descriptor(&sources[0]), by_descriptor(&inside)))?;
                if !read_only {
                    return Ok(());
                }
                // What is opened now is what was mounted.
                let top = step(name(), point.open())?;
                step(name(), make_read_only(&by_descriptor(&top)))
            }
            Mount::Overlay { target, .. } => {
                refuse_kernels(target)?;
                let inside = step("open the mount point", Point::make(root, target.as_str(), true)?.open())?;
                overlay(sources, &by_descriptor(&inside))
            }
            Mount::Tmpfs { target, size } => {
                refuse_kernels(target)?;
                let size = size.map_or_else(String::new, |bytes| format!(",size={bytes}"));
                let inside = step("open the mount point", Point::make(root, target.as_str(), true)?.open())?;
                tmpfs(&by_descriptor(&inside), &format!("mode=1777{size}"))
            }
        }
    }
}

/// What may be mounted at in `/dev`: memory that programs share, and the scripts of a Dockerfile.
const OPEN: [&str; 2] = ["shm", "pipes"];

/// Nothing takes the place of what is the kernel's, as with other runtimes: programs, and kiln, take what it says for true.
fn refuse_kernels(target: &RootPath) -> Result<(), SetupError> {
    let mut parts = target.parts();
    let is_kernels = match (parts.next(), parts.next()) {
        (Some("proc" | "sys"), _) => true,
        (Some("dev"), below) => !below.is_some_and(|name| OPEN.contains(&name)),
        _ => false,
    };
    if !is_kernels {
        return Ok(());
    }
    let why = "nothing can be mounted in /proc, /sys or /dev but at /dev/shm and below /dev/pipes";
    step(format!("mount at `/{target}`"), Err(io::Error::other(why)))
}

fn open_all<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Result<Vec<File>, SetupError> {
    paths.into_iter().map(|path| step(format!("open `{}`", path.display()), open_path(path))).collect()
}

fn open_path(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, open};
    Ok(File::from(open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?))
}

fn bind(source: &Path, target: &Path, read_only: bool) -> Result<(), SetupError> {
    let name = || format!("bind `{}`", target.display());
    step(name(), mount_bind_recursive(source, target))?;
    if !read_only {
        return Ok(());
    }
    step(name(), make_read_only(target))
}

/// `sources` are the upper folder, the work folder, then the lower folders from the top.
fn overlay(sources: &[File], target: &Path) -> Result<(), SetupError> {
    let name = || format!("mount an overlay at `{}`", target.display());
    let [upper, work, lower @ ..] = sources else {
        return step(name(), Err(io::Error::other("an overlay has an upper, a work and a lower folder")));
    };
    let lower: Vec<String> = lower.iter().map(|file| by_descriptor(file).display().to_string()).collect();
    let options = format!(
        "lowerdir={},upperdir={},workdir={}",
        lower.join(":"),
        by_descriptor(upper).display(),
        by_descriptor(work).display()
    );
    // In a user namespace, overlay keeps its marks in `user.` attributes; real root has no need to.
    let try_with = |options: String| -> io::Result<()> {
        let options = CString::new(options)?;
        Ok(mount("overlay", target, "overlay", MountFlags::empty(), Some(options.as_c_str()))?)
    };
    step(name(), try_with(format!("{options},userxattr")).or_else(|_| try_with(options)))
}

fn tmpfs(target: &Path, options: &str) -> Result<(), SetupError> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    let name = format!("mount `{}`", target.display());
    let options = step(&*name, CString::new(options).map_err(io::Error::from))?;
    step(name, mount("tmpfs", target, "tmpfs", flags, Some(options.as_c_str())))
}

/// A network namespace of its own has a view of its own; without one, the machine's is shown.
fn sys(source: &File, point: &Point) -> Result<(), SetupError> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC | MountFlags::RDONLY;
    let inside = step("show /sys", point.open())?;
    if mount("sysfs", by_descriptor(&inside), "sysfs", flags, None).is_ok() {
        return Ok(());
    }
    step("show /sys", mount_bind_recursive(by_descriptor(source), by_descriptor(&inside)))?;
    let top = step("show /sys", point.open())?;
    step("show /sys", make_read_only(&by_descriptor(&top)))
}

fn mount_proc(root: &Path) -> Result<(), SetupError> {
    let inside = step("mount proc", Point::make(root, "proc", true)?.open())?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    step("mount proc", mount("proc", by_descriptor(&inside), "proc", flags, None))
}

/// Hides what tells of this machine and locks what changes it, as container runtimes do. Not every kernel has every file.
fn guard(root: &Path) -> Result<(), SetupError> {
    for name in LOCKED {
        let path = root.join(name);
        if path.exists() {
            bind(&path, &path, true)?;
        }
    }
    for name in HIDDEN {
        let path = root.join(name);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => {
                tmpfs(&path, "size=0,mode=0555")?;
                step(format!("hide /{name}"), make_read_only(&path))?;
            }
            Ok(_) => bind(Path::new("/dev/null"), &path, true)?,
            Err(_) => {}
        }
    }
    Ok(())
}

fn mount_devices(root: &Path) -> Result<(), SetupError> {
    let inside = step("mount the devices", Point::make(root, "dev", true)?.open())?;
    let flags = MountFlags::NOSUID;
    step("mount the devices", mount("tmpfs", by_descriptor(&inside), "tmpfs", flags, Some(c"mode=0755")))?;
    // From here on it is a folder of the sandbox's own.
    let folder = root.join("dev");
    for name in DEVICES {
        let target = folder.join(name);
        let source = Path::new("/dev").join(name);
        if source.exists() {
            step("make the devices", File::create(&target))?;
            step(format!("bind the device {name}"), mount_bind(&source, &target))?;
        }
    }
    for (name, target) in DEVICE_LINKS {
        step("make the devices", std::os::unix::fs::symlink(target, folder.join(name)))?;
    }
    let shared_memory = folder.join("shm");
    step("make the devices", fs::create_dir(&shared_memory))?;
    tmpfs(&shared_memory, "mode=1777")
}
