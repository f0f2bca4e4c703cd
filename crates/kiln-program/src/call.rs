use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::ended::Ended;
use crate::environment::{COMMON, kept, named};
use crate::error::Error;
use crate::guard::stand_by;
use crate::wait::Running;

/// The most that is kept of what a program says on standard error, in bytes.
const SAID: usize = 64 << 10;

/// A program that is about to be asked.
#[derive(Debug)]
pub struct Call {
    program: String,
    command: Command,
    input: Option<Vec<u8>>,
    limit: Duration,
    most: usize,
    is_heard: bool,
}

impl Call {
    /// A program on the `PATH`, or at a path. It has [`COMMON`] of the environment, nothing to read, a minute, and may print a
    /// megabyte.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let program = program.as_ref();
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(kept(COMMON))
            .envs(named())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self {
            program: program.to_string_lossy().into_owned(),
            command,
            input: None,
            limit: Duration::from_mins(1),
            most: 1 << 20,
            is_heard: true,
        }
    }

    /// With these arguments behind those it has.
    pub fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.command.args(arguments);
        self
    }

    /// With this variable.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// With the variables of kiln's own environment that these globs name, too.
    pub fn keeps(mut self, names: &[&str]) -> Self {
        self.command.envs(kept(names));
        self
    }

    /// With the variables of kiln's own environment that these globs name, and no others.
    pub fn keeps_only(mut self, names: &[&str]) -> Self {
        let variables: Vec<(OsString, OsString)> = kept(names);
        self.command.env_clear().envs(variables);
        self
    }

    /// In this folder.
    pub fn folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// With this to read.
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Some(bytes.into());
        self.command.stdin(Stdio::piped());
        self
    }

    /// It may take this long.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// It may print this many bytes.
    pub fn most(mut self, bytes: usize) -> Self {
        self.most = bytes;
        self
    }

    /// What it says on standard error is for the user: it asks for a button or a PIN there.
    pub fn speaks_to_the_user(mut self) -> Self {
        self.command.stderr(Stdio::inherit());
        self.is_heard = false;
        self
    }

    /// Asks. However it ends, nothing that it started is left.
    pub fn run(mut self) -> Result<Ended, Error> {
        let program = self.program;
        let lost = |source| Error::Lost { program: program.clone(), source };
        stand_by();
        let child = self.command.process_group(0).spawn();
        let child = child.map_err(|source| Error::Start { program: program.clone(), source })?;
        let mut running = Running::new(child, self.input, self.most, SAID, self.is_heard);
        if running.wait(self.limit).map_err(lost)? {
            running.hear();
        } else {
            running.end();
            if running.is_too_long() {
                return Err(Error::Long { program, most: self.most });
            }
            return Err(Error::Late { program, limit: self.limit });
        }
        running.end();
        let is_too_long = running.is_too_long();
        let (status, stdout, stderr) = running.finish().map_err(lost)?;
        if is_too_long {
            return Err(Error::Long { program, most: self.most });
        }
        Ok(Ended { program, status, stdout, stderr })
    }
}
