use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use crate::bridge::{Bridge, Opened};
use crate::cgroup::Group;
use crate::error::ErrorKind;
use crate::init::ENTER;
use crate::setup::{Message, SetupError};
use crate::{Error, Finished, Ids, Job, Network, namespaces};

/// Lines of output that are kept for the message when a command fails.
const LAST_LINES: usize = 400;
/// Bytes of one line of output; the rest of a longer line becomes lines of its own.
const LINE_MAX: u64 = 8 << 10;
/// How often a command that says nothing is looked at.
const TICK: Duration = Duration::from_millis(200);

/// Starts jobs by starting `program`, which must call [`crate::enter`] first thing.
#[derive(Clone, Debug)]
pub struct Sandbox {
    program: PathBuf,
    bridge: Option<Bridge>,
}

impl Sandbox {
    /// `program` is usually this very program.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), bridge: None }
    }

    /// Gives jobs with [`Network::Bridged`] their network.
    pub fn with_bridge(self, bridge: Option<Bridge>) -> Self {
        Self { bridge, ..self }
    }

    /// Runs a job to its end. Each line it prints is given to `on_line` as it comes.
    pub fn run(&self, job: &Job, on_line: &mut dyn FnMut(&str)) -> Result<Finished, Error> {
        let mut job = Cow::Borrowed(job);
        if job.network == Network::Bridged && self.bridge.is_none() {
            job.to_mut().network = Network::Host;
        }
        let mut no_bridge = None;
        let started = match self.start(&job)? {
            Start::Ready(started) => started,
            Start::NoBridge(why) => {
                no_bridge = Some(why.to_string());
                job.to_mut().network = Network::Host;
                match self.start(&job)? {
                    Start::Ready(started) => started,
                    Start::NoBridge(_) => return Err(ErrorKind::Silent.into()),
                }
            }
        };
        let finished = started.finish(job.timeout, on_line)?;
        Ok(Finished { network: job.network, no_bridge, ..finished })
    }

    fn start(&self, job: &Job) -> Result<Start, Error> {
        let (ours, theirs) = UnixStream::pair().map_err(|source| ErrorKind::Channel { source })?;
        let child = Command::new(&self.program)
            .arg(ENTER)
            .env_clear()
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| ErrorKind::Start { program: self.program.clone(), source })?;
        let group = Group::make(job.memory);
        if let Some(group) = &group {
            // Before it is told what to start.
            group.take(child.id());
        }
        let mut started = Started { child, channel: ours, bridge: None, group };
        let mut encoded = serde_json::to_vec(job).map_err(|source| ErrorKind::Encode { source })?;
        encoded.push(b'\n');
        started.write(&encoded)?;
        if !job.waits_for_outside() {
            return Ok(Start::Ready(started));
        }
        started.wait_for_namespaces()?;
        if let Ids::Many { first, count } = job.ids {
            started.map_ids(first, count)?;
        }
        if let (Network::Bridged, Some(bridge)) = (job.network, &self.bridge) {
            match bridge.open(&self.program, started.child.id()) {
                Ok(opened) => started.bridge = Some(opened),
                Err(why) if bridge.is_required => return Err(ErrorKind::Bridge { source: why }.into()),
                Err(why) => return Ok(Start::NoBridge(why)),
            }
        }
        started.write(b"\n")?;
        Ok(Start::Ready(started))
    }
}

enum Start {
    Ready(Started),
    NoBridge(io::Error),
}

/// A sandbox whose process runs.
struct Started {
    child: Child,
    channel: UnixStream,
    /// Open for as long as the process runs.
    bridge: Option<Opened>,
    /// Dropped last.
    group: Option<Group>,
}

impl Started {
    fn write(&self, bytes: &[u8]) -> Result<(), Error> {
        (&self.channel).write_all(bytes).map_err(|source| ErrorKind::Channel { source }.into())
    }

    fn wait_for_namespaces(&self) -> Result<(), Error> {
        let mut line = Vec::new();
        let mut reader = BufReader::new(&self.channel).take(LINE_MAX);
        reader.read_until(b'\n', &mut line).map_err(|source| ErrorKind::Channel { source })?;
        match serde_json::from_slice(&line) {
            Ok(Message::Unshared) => Ok(()),
            Ok(Message::Setup { step, cause, errno }) => Err(ErrorKind::Setup { step, cause, errno }.into()),
            _ => Err(ErrorKind::Silent.into()),
        }
    }

    fn map_ids(&self, first: u32, count: u32) -> Result<(), Error> {
        namespaces::map_many(self.child.id(), first, count).map_err(|SetupError { step, cause }| {
            let errno = cause.raw_os_error().unwrap_or(0);
            ErrorKind::Setup { step, cause: cause.to_string(), errno }.into()
        })
    }

    fn finish(mut self, timeout: Option<Duration>, on_line: &mut dyn FnMut(&str)) -> Result<Finished, Error> {
        let mut finished = follow(&mut self.child, timeout, on_line);
        drop(self.bridge.take());
        finished.ran_out = self.group.as_ref().and_then(Group::ran_out);
        match last_message(&self.channel) {
            Some(Message::Exit { code }) => finished.code = code,
            Some(Message::Setup { step, cause, errno }) => {
                return Err(ErrorKind::Setup { step, cause, errno }.into());
            }
            None if finished.timed_out || finished.ran_out.is_some() => finished.code = 128 + 9,
            Some(Message::Unshared) | None => return Err(ErrorKind::Silent.into()),
        }
        Ok(finished)
    }
}

impl Drop for Started {
    /// Nothing is left, also where something failed on the way.
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Passes output on until the process and all it started have closed it, or the time is over.
fn follow(child: &mut Child, timeout: Option<Duration>, on_line: &mut dyn FnMut(&str)) -> Finished {
    let deadline = timeout.map(|timeout| Instant::now() + timeout);
    let mut finished = Finished {
        code: 0,
        timed_out: false,
        last_lines: Vec::new(),
        network: Network::None,
        no_bridge: None,
        ran_out: None,
    };
    let mut last = VecDeque::with_capacity(LAST_LINES);
    let lines = start_readers(child);
    loop {
        match lines.recv_timeout(TICK) {
            Ok(line) => {
                on_line(&line);
                if last.len() == LAST_LINES {
                    last.pop_front();
                }
                last.push_back(line);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if !finished.timed_out && deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            finished.timed_out = true;
            // The kernel ends everything inside together with this process.
            drop(child.kill());
        }
    }
    drop(child.wait());
    finished.last_lines = last.into();
    finished
}

fn start_readers(child: &mut Child) -> Receiver<String> {
    let (sender, lines) = sync_channel(256);
    if let Some(stdout) = child.stdout.take() {
        read_lines(stdout, sender.clone());
    }
    if let Some(stderr) = child.stderr.take() {
        read_lines(stderr, sender);
    }
    lines
}

fn read_lines(stream: impl Read + Send + 'static, sender: SyncSender<String>) {
    std::thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        loop {
            let mut line = Vec::new();
            match (&mut stream).take(LINE_MAX).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            let text = String::from_utf8_lossy(&line);
            // Programs that show how far they are write over what they wrote.
            let text = text.trim_end().rsplit('\r').next().unwrap_or_default();
            if sender.send(text.to_owned()).is_err() {
                return;
            }
        }
    });
}

fn last_message(stream: &UnixStream) -> Option<Message> {
    let mut bytes = Vec::new();
    // What was said counts, also where the stream broke afterwards.
    drop(stream.take(LINE_MAX).read_to_end(&mut bytes));
    let text = String::from_utf8_lossy(&bytes);
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).next_back()
}
