//! A program that runs: what it prints is gathered by threads, and its group lives as long as it does.

use std::io::{self, Read, Write};
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::guard::Guarded;

/// How often it is looked at.
const TICK: Duration = Duration::from_millis(3);
/// How long what it started may go on printing after it has ended.
const GRACE: Duration = Duration::from_secs(2);

pub(crate) struct Running {
    child: Child,
    /// Until it is ended.
    guarded: Option<Guarded>,
    stdout: Heard,
    stderr: Heard,
}

/// A stream in the making.
struct Heard {
    bytes: Arc<Mutex<Vec<u8>>>,
    most: usize,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub(crate) fn new(
        mut child: Child,
        input: Option<Vec<u8>>,
        most: usize,
        said: usize,
        is_heard: bool,
    ) -> Self {
        let guarded = Some(Guarded::new(Pid::from_child(&child)));
        if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
            // A program may end without having read what it is given.
            std::thread::spawn(move || drop(stdin.write_all(&input)));
        }
        let stdout = Heard::new(child.stdout.take(), most.saturating_add(1));
        let stderr = Heard::new(child.stderr.take().filter(|_| is_heard), said);
        Self { child, guarded, stdout, stderr }
    }

    /// Whether it ends in time, having printed no more than it may. It stays a zombie, so that its group is nobody else's.
    pub(crate) fn wait(&self, limit: Duration) -> io::Result<bool> {
        let deadline = Instant::now() + limit;
        let (who, how) = (WaitId::Pid(self.pid()), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
        loop {
            match waitid(who.clone(), how | WaitIdOptions::NOHANG) {
                Ok(Some(_)) => return Ok(true),
                Ok(None) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            if Instant::now() >= deadline || self.is_too_long() {
                return Ok(false);
            }
            std::thread::sleep(TICK);
        }
    }

    /// Whether it has printed more than it may.
    pub(crate) fn is_too_long(&self) -> bool {
        self.stdout.bytes.lock().unwrap_or_else(PoisonError::into_inner).len() >= self.stdout.most
    }

    /// Gives what it started a moment to close the streams.
    pub(crate) fn hear(&self) {
        let deadline = Instant::now() + GRACE;
        while Instant::now() < deadline && !(self.stdout.is_over() && self.stderr.is_over()) {
            std::thread::sleep(TICK);
        }
    }

    /// Ends it and all that is in its group.
    pub(crate) fn end(&mut self) {
        // A group that is gone needs no end.
        kill_process_group(self.pid(), Signal::KILL).unwrap_or_default();
        // As long as its group is nobody else's.
        drop(self.guarded.take());
        drop(self.child.wait());
    }

    /// How it ended, and what it printed. What left its group and still holds a stream is not waited for.
    pub(crate) fn finish(mut self) -> io::Result<(ExitStatus, Vec<u8>, String)> {
        let status = self.child.wait()?;
        let (stdout, stderr) = (self.stdout.take(), self.stderr.take());
        Ok((status, stdout, String::from_utf8_lossy(&stderr).into_owned()))
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Heard {
    fn new(stream: Option<impl Read + Send + 'static>, most: usize) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&bytes);
        let thread = stream.map(|stream| std::thread::spawn(move || gather(stream, &into, most)));
        Self { bytes, most, thread }
    }

    fn is_over(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn take(&mut self) -> Vec<u8> {
        if self.is_over() {
            drop(self.thread.take().map(JoinHandle::join));
        }
        std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Reads to the end, so that nobody waits for room; keeps the first `most` bytes.
fn gather(mut stream: impl Read, into: &Mutex<Vec<u8>>, most: usize) {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let count = match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        let mut kept = into.lock().unwrap_or_else(PoisonError::into_inner);
        let room = most.saturating_sub(kept.len()).min(count);
        kept.extend_from_slice(&buffer[..room]);
    }
}
