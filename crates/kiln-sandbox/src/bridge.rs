//! A network of a job's own that reaches what this machine reaches, but not this machine itself: `pasta` of
//! <https://passt.top>, a program that passes connections on without any rights.

use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::Access;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// First argument of the process that watches over `pasta`.
pub(crate) const WATCH: &str = "__bridge";
/// What `pasta` connects a namespace through.
const TUNNEL: &str = "/dev/net/tun";
/// What is read of the reason for a failure, in bytes.
const REASON_MAX: u64 = 8 << 10;

/// How jobs with [`crate::Network::Bridged`] get their network.
#[derive(Clone, Debug)]
pub struct Bridge {
    /// `pasta`.
    pub program: PathBuf,
    /// Ports of this machine's loopback that jobs reach, at the same ports of theirs.
    pub ports: Vec<u16>,
    /// An address at which jobs reach the name server of this machine.
    pub name_server: Option<std::net::IpAddr>,
    /// A job fails where it cannot be opened, and does not get the network of this machine.
    pub is_required: bool,
}

impl Bridge {
    /// Over the `pasta` that is on the `PATH`, or why there is none.
    pub fn find() -> Result<Self, &'static str> {
        let program = crate::subordinate::on_path("pasta").ok_or("there is no pasta on the PATH")?;
        let opens = rustix::fs::access(TUNNEL, Access::READ_OK | Access::WRITE_OK).is_ok();
        if opens {
            Ok(Self::over(program))
        } else {
            Err("/dev/net/tun is closed to this user, so pasta cannot work")
        }
    }

    /// Over this `pasta`.
    pub fn over(program: PathBuf) -> Self {
        Self { program, ports: Vec::new(), name_server: None, is_required: false }
    }

    /// Connects the network namespace of a process. `watcher` is this program.
    pub(crate) fn open(&self, watcher: &PathBuf, pid: u32) -> io::Result<Opened> {
        let mut command = Command::new(watcher);
        command.arg(WATCH).arg(&self.program).args(["--foreground", "--quiet", "--config-net"]);
        // Nothing comes in, and nothing of the loopback goes out, neither by its own address nor by the gateway's.
        command.args(["-t", "none", "-u", "none", "-U", "none", "--no-map-gw"]);
        let ports = self.ports.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
        command.args(["-T", if ports.is_empty() { "none" } else { &ports }]);
        if let Some(address) = self.name_server {
            command.args(["--dns-forward", &address.to_string()]);
        }
        if rustix::process::geteuid().is_root() {
            // It would become nobody, who may not enter the namespaces. It gives up all rights when it has.
            command.args(["--runas", "0:0"]);
        }
        command.args(["--pid", "/proc/self/fd/1"]).arg(pid.to_string());
        let mut watcher =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let held = watcher.stdin.take();
        let opened = Opened { watcher, held };
        opened.wait_until_ready()
    }
}

/// A connection, which is closed when this is dropped or its process ends, however it ends.
pub(crate) struct Opened {
    watcher: Child,
    held: Option<ChildStdin>,
}

impl Opened {
    /// When everything is there, it writes its process id.
    fn wait_until_ready(mut self) -> io::Result<Self> {
        let mut word = [0; 16];
        let count = self.watcher.stdout.as_mut().map_or(Ok(0), |stdout| stdout.read(&mut word))?;
        if count > 0 {
            return Ok(self);
        }
        let mut reason = String::new();
        if let Some(stderr) = self.watcher.stderr.take() {
            // A reason that cannot be read is none.
            drop(stderr.take(REASON_MAX).read_to_string(&mut reason));
        }
        // Some versions tell first that they cannot reach the log of the system.
        let reason = reason.lines().filter(|line| !line.contains("syslog")).collect::<Vec<_>>().join("; ");
        Err(io::Error::other(if reason.is_empty() { "it ended without a word".to_owned() } else { reason }))
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        drop(self.held.take());
        drop(self.watcher.wait());
    }
}

/// The process that watches: starts the rest of its arguments, and ends it when standard input does, which the kernel
/// closes whatever becomes of whoever holds the other end.
pub(crate) fn watch(arguments: &[String]) -> ExitCode {
    match watch_program(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn watch_program(arguments: &[String]) -> io::Result<()> {
    // Keys of a terminal reach kiln, not this.
    rustix::process::setsid()?;
    let (program, arguments) = arguments.split_first().ok_or_else(|| io::Error::other("no program"))?;
    let mut child = Command::new(program).args(arguments).env_clear().stdin(Stdio::null()).spawn()?;
    let ended: OwnedFd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?;
    let input = io::stdin();
    let mut sources =
        [PollFd::from_borrowed_fd(input.as_fd(), PollFlags::IN), PollFd::new(&ended, PollFlags::IN)];
    while let Err(rustix::io::Errno::INTR) = poll(&mut sources, None) {}
    drop(child.kill());
    child.wait().map(drop)
}
