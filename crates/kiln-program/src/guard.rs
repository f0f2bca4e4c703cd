//! What ends the programs that are asked when kiln itself is ended: by Ctrl-C, which reaches kiln's own process group alone, or by a signal
//! that no program sees coming.
//!
//! It is this program, started once more, beside kiln and in a group of its own. It is told which groups are there, and notices that kiln
//! is gone by the end of what it is told.

use std::collections::BTreeSet;
use std::io::{BufRead as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{ChildStdin, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};

/// The name that this program has as a guard.
const NAME: &str = "kiln-guard";

/// Whether this program knows how to be a guard: tests and examples do not.
static CAN_GUARD: AtomicBool = AtomicBool::new(false);
/// What the guard is told by; nothing where none could be started.
static GUARD: OnceLock<Option<Mutex<ChildStdin>>> = OnceLock::new();

/// Must be called first in `main`, of a program whose helpers are to end with it. Does nothing, and yields `None`, unless this process
/// was started to be their guard; otherwise `main` must return the exit code at once.
pub fn enter() -> Option<ExitCode> {
    if std::env::args_os().next().is_some_and(|name| name == NAME) {
        guard();
        return Some(ExitCode::SUCCESS);
    }
    CAN_GUARD.store(true, Ordering::Relaxed);
    None
}

/// Listens until kiln is gone, and ends what is left of its helpers.
fn guard() {
    let mut groups = BTreeSet::new();
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let Some(group) = line.get(1..).and_then(|group| group.parse().ok()).and_then(Pid::from_raw) else {
            continue;
        };
        let group = group.as_raw_nonzero();
        if line.starts_with('+') {
            groups.insert(group)
        } else {
            groups.remove(&group)
        };
    }
    for group in groups.into_iter().filter_map(|group| Pid::from_raw(group.get())) {
        // A group that is gone needs no end.
        kill_process_group(group, Signal::KILL).unwrap_or_default();
    }
}

/// A group that ends with kiln for as long as this lives.
#[derive(Debug)]
pub(crate) struct Guarded(Pid);

impl Guarded {
    pub(crate) fn new(group: Pid) -> Self {
        tell('+', group);
        Self(group)
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        tell('-', self.0);
    }
}

/// Has the guard be there before there is anything to guard: a program that is there already could be left alone meanwhile.
pub(crate) fn stand_by() -> Option<&'static Mutex<ChildStdin>> {
    GUARD.get_or_init(|| start().map(Mutex::new)).as_ref()
}

fn tell(what: char, group: Pid) {
    let Some(guard) = stand_by() else { return };
    let line = format!("{what}{}\n", group.as_raw_nonzero());
    // Without a guard, helpers live as long as they like.
    drop(guard.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes()));
}

fn start() -> Option<ChildStdin> {
    if !CAN_GUARD.load(Ordering::Relaxed) {
        return None;
    }
    let mut command = Command::new(std::env::current_exe().ok()?);
    command.arg0(NAME).env_clear().process_group(0);
    let guard = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    guard.ok()?.stdin.take()
}
