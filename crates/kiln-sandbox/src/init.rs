//! The two processes inside: the first makes the namespaces, the second is process 1 in them.
#![expect(unsafe_code, reason = "fork, and credentials between fork and exec, have no safe form")]

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use rustix::process::{DumpableBehavior, Signal};

use crate::namespaces::Made;
use crate::setup::{Message, SetupError, step};
use crate::{Ids, Job, Network, bridge, confine, limits, mounts, namespaces, owners, routes, subordinate};

/// First argument of a program that is to call [`enter`].
pub const ENTER: &str = "__sandbox";
/// `KEYCTL_JOIN_SESSION_KEYRING` of linux/keyctl.h.
const JOIN_SESSION_KEYRING: libc::c_int = 1;
/// The largest job that is read, in bytes.
const JOB_MAX: usize = 16 << 20;

/// Must be called first thing in `main`, before any thread starts. Does nothing, and yields `None`, unless this
/// process was started to be a sandbox; otherwise `main` must return the exit code at once.
pub fn enter() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next()?.as_str() {
        ENTER => {}
        bridge::WATCH => return Some(bridge::watch(&arguments.collect::<Vec<_>>())),
        subordinate::MAP => return Some(subordinate::hand_out(&arguments.collect::<Vec<_>>())),
        _ => return None,
    }
    let outcome = first_process();
    Some(match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(SetupError { step, cause }) => {
            let errno = cause.raw_os_error().unwrap_or(0);
            tell(&Message::Setup { step, cause: cause.to_string(), errno });
            ExitCode::FAILURE
        }
    })
}

/// The stream to the process outside is standard input.
fn channel() -> io::Result<UnixStream> {
    Ok(UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?))
}

fn tell(message: &Message) {
    if let (Ok(mut stream), Ok(mut line)) = (channel(), serde_json::to_vec(message)) {
        line.push(b'\n');
        // Nobody is left to be told that telling failed.
        drop(stream.write_all(&line));
    }
}

/// Reads one line from the process outside.
fn read_line() -> Result<Vec<u8>, SetupError> {
    let mut stream = step("open the channel", channel())?;
    let mut line = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    while line.len() < JOB_MAX && line.last() != Some(&b'\n') {
        match step("read the job", stream.read(&mut buffer))? {
            0 => break,
            count => line.extend_from_slice(&buffer[..count]),
        }
    }
    Ok(line)
}

fn first_process() -> Result<(), SetupError> {
    die_with_parent()?;
    leave_caller()?;
    limits::go_first()?;
    let job: Job = step("read the job", serde_json::from_slice(&read_line()?).map_err(io::Error::other))?;
    let made = namespaces::unshare(&job)?;
    if job.waits_for_outside() {
        // Only a process outside may map ids that are not its own, or make a bridge.
        tell(&Message::Unshared);
        read_line()?;
    }
    // The new process is process 1 of the new PID namespace. It does not go through exec, where a process whose id
    // exists only outside would lose its rights inside.
    // SAFETY: this process has a single thread, so the child may do whatever this one may.
    match unsafe { libc::fork() } {
        -1 => step("start process 1", Err(io::Error::last_os_error())),
        0 => init_process(&job, made),
        child => {
            let child = rustix::process::Pid::from_raw(child);
            // What there is to tell, process 1 has told.
            step(
                "wait for process 1",
                rustix::process::waitpid(child, rustix::process::WaitOptions::empty()),
            )?;
            Ok(())
        }
    }
}

/// Nothing of the caller goes into the sandbox: neither the terminal, into which commands could type, nor files that the
/// caller holds open, nor keys.
fn leave_caller() -> Result<(), SetupError> {
    step("start a session", rustix::process::setsid())?;
    // SAFETY: this process has opened nothing; what it closes is the caller's.
    let outcome = unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
    if outcome != 0 {
        step("close the caller's files", close_one_by_one())?;
    }
    // SAFETY: makes a keyring for this process; none of its memory is looked at.
    unsafe { libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, std::ptr::null::<libc::c_char>()) };
    Ok(())
}

/// In containers whose filter is older than `close_range`.
fn close_one_by_one() -> io::Result<()> {
    let open: Vec<i32> = std::fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    for descriptor in open.into_iter().filter(|&descriptor| descriptor > 2) {
        // SAFETY: as above; the one that the list was read through is closed already.
        unsafe { libc::close(descriptor) };
    }
    Ok(())
}

fn init_process(job: &Job, made: Made) -> Result<(), SetupError> {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    step("set the host name", rustix::system::sethostname(job.hostname.as_bytes()))?;
    if job.network != Network::Host {
        step("bring up the loopback", namespaces::loopback_up())?;
    }
    if job.network == Network::Bridged {
        step("close the way to link-local addresses", routes::close())?;
    }
    // Sources are opened as whoever runs kiln, and before the stage hides what lies under it.
    let sources = mounts::Sources::open(job)?;
    if let Ids::Many { .. } = job.ids {
        namespaces::become_root()?;
    }
    die_with_parent()?;
    mounts::enter_root(job, &sources, made)?;
    drop(sources);
    limits::limit_process()?;
    // Nothing inside looks at this process or holds on to it.
    step("close process 1", rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable))?;
    confine::confine(job.network)?;
    if job.ids == Ids::One && job.user.uid != 0 {
        // Notes on files say whose they are there; only root may give files to others.
        step("close the notes on files", confine::close_notes())?;
    }
    let (program, arguments) = step(
        "start the command",
        job.argv.split_first().ok_or_else(|| io::Error::other("the command has no words")),
    )?;
    step("become the user", exists(&job.user, job.ids))?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(job.env.iter().map(|(name, value)| (name, value)))
        .current_dir(&job.cwd)
        .stdin(Stdio::null());
    if let (Ids::Many { .. }, user) = (job.ids, job.user.clone())
        && user != crate::User::default()
    {
        // SAFETY: between fork and exec of a process with a single thread, only system calls are made.
        unsafe { command.pre_exec(move || namespaces::become_user(&user)) };
    }
    // Root with one id cannot give files to others, and programs that install things do.
    let listener = match job.ids {
        Ids::One if job.user.uid == 0 => owners::Listener::install().ok(),
        _ => None,
    };
    let mut child = step(format!("start `{program}`"), command.spawn())?;
    let status = match listener {
        Some(listener) => step("wait for the command", listener.serve(&mut child))?,
        None => step("wait for the command", child.wait())?,
    };
    tell(&Message::Exit { code: code(status) });
    Ok(())
}

/// Whether the ids of a user are among those there are.
fn exists(user: &crate::User, ids: Ids) -> io::Result<()> {
    match ids {
        Ids::Many { count, .. } if user.uid.max(user.gid) >= count => {
            Err(io::Error::other(format!("{}:{} is not among the {count} ids here", user.uid, user.gid)))
        }
        _ => Ok(()),
    }
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

fn die_with_parent() -> Result<(), SetupError> {
    step("ask to end with the parent", rustix::process::set_parent_process_death_signal(Some(Signal::KILL)))
}
