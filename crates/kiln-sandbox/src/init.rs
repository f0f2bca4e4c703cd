//! The two processes inside: the first makes the namespaces, the second is process 1 in them.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use rustix::process::Signal;

use crate::setup::{Message, SetupError, step};
use crate::{Job, confine, mounts, namespaces};

/// First argument of a program that is to call [`enter`].
pub const ENTER: &str = "__sandbox";
const INIT: &str = "__sandbox-init";
/// The largest job that is read, in bytes.
const JOB_MAX: usize = 16 << 20;

/// Must be called first thing in `main`, before any thread starts. Does nothing, and yields `None`, unless this
/// process was started to be a sandbox; otherwise `main` must return the exit code at once.
pub fn enter() -> Option<ExitCode> {
    let argument = std::env::args().nth(1)?;
    let outcome = match argument.as_str() {
        ENTER => first_process(),
        INIT => init_process(),
        _ => return None,
    };
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

/// Reads one line. The process outside sends the job twice: once for each process inside.
fn read_job() -> Result<Job, SetupError> {
    let mut stream = step("open the channel", channel())?;
    let mut line = Vec::new();
    let mut byte = [0; 1];
    // Byte by byte, so that nothing beyond the line is taken from the next process.
    while line.len() < JOB_MAX && step("read the job", stream.read(&mut byte))? == 1 && byte[0] != b'\n' {
        line.push(byte[0]);
    }
    step("read the job", serde_json::from_slice(&line).map_err(io::Error::other))
}

fn first_process() -> Result<(), SetupError> {
    die_with_parent()?;
    let job = read_job()?;
    namespaces::unshare(job.network)?;
    // Standard input, the channel, is inherited. The new process is process 1 of the new PID namespace.
    let mut child = step("start process 1", Command::new("/proc/self/exe").arg(INIT).spawn())?;
    // What there is to tell, process 1 has told.
    step("wait for process 1", child.wait())?;
    Ok(())
}

fn init_process() -> Result<(), SetupError> {
    die_with_parent()?;
    let job = read_job()?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    step("set the host name", rustix::system::sethostname(b"kiln"))?;
    if job.network == crate::Network::None {
        step("bring up the loopback", namespaces::loopback_up())?;
    }
    mounts::enter_root(&job)?;
    confine::confine()?;
    let (program, arguments) = step(
        "start the command",
        job.argv.split_first().ok_or_else(|| io::Error::other("the command has no words")),
    )?;
    let mut child = step(
        format!("start `{program}`"),
        Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(job.env.iter().map(|(name, value)| (name, value)))
            .current_dir(&job.cwd)
            .stdin(Stdio::null())
            .spawn(),
    )?;
    let status = step("wait for the command", child.wait())?;
    tell(&Message::Exit { code: code(status) });
    Ok(())
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

fn die_with_parent() -> Result<(), SetupError> {
    step("ask to end with the parent", rustix::process::set_parent_process_death_signal(Some(Signal::KILL)))
}
