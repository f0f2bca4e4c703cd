//! Runs the commands of a build in the sandbox, and keeps what they leave.

use std::cell::OnceCell;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use kiln_build::{Run, Runner};
use kiln_finding::{Class, Diagnose};
use kiln_node::Manager;
use kiln_plan::{Plan, Step};
use kiln_rootfs::{RootPath, Tree};
use kiln_sandbox::{Finished, Job, Mount, Network, Root, Sandbox, collect, remove, unpack};

use super::toolchain;
use crate::base::Supply;
use crate::build::Bases;
use crate::failure::Failure;
use crate::progress::Stages;

/// How long one command may take where nobody says otherwise.
const TIMEOUT: Duration = Duration::from_mins(30);

/// The sandbox, the builder and the folders between them.
pub(crate) struct SandboxRunner<'a> {
    pub(crate) bases: &'a Bases<'a>,
    manager: Manager,
    pub(crate) native: bool,
    pub(crate) supply: &'a Supply,
    pub(crate) stages: &'a Stages,
    pub(crate) offline: bool,
    pub(crate) build_network: bool,
    pub(crate) timeout: Option<u64>,
    folder: PathBuf,
    builder: OnceCell<PathBuf>,
}

/// A folder of one run, removed with everything in it; `lock` shows others that it is in use.
struct Scratch {
    folder: PathBuf,
    _lock: File,
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is swept by a later run.
        drop(remove(&self.folder));
    }
}

impl<'a> SandboxRunner<'a> {
    pub(crate) fn new(
        bases: &'a Bases<'a>,
        plan: &Plan,
        supply: &'a Supply,
        stages: &'a Stages,
        cache_dir: &Path,
        offline: bool,
    ) -> Self {
        let folder = cache_dir.join("runs");
        sweep(&folder);
        Self {
            bases,
            manager: plan.manager,
            native: !plan.natives.is_empty(),
            supply,
            stages,
            offline,
            build_network: false,
            timeout: None,
            folder,
            builder: OnceCell::new(),
        }
    }

    fn builder(&self) -> Result<&Path, RunnerError> {
        if let Some(folder) = self.builder.get() {
            return Ok(folder);
        }
        self.stages.note("composing the builder");
        let folder = self.bases.builder(self.native)?;
        Ok(self.builder.get_or_init(|| folder))
    }

    fn scratch(&self, run: &Run<'_>) -> Result<Scratch, RunnerError> {
        let folder = self.scratch_folder(run);
        remove(&folder).map_err(RunnerError::from_diagnose)?;
        let make = || {
            fs::create_dir_all(&folder)?;
            let lock = File::create(folder.join("lock"))?;
            lock.lock()?;
            Ok(lock)
        };
        let lock = make().map_err(|error| RunnerError::io("create", &folder, &error))?;
        Ok(Scratch { folder, _lock: lock })
    }

    fn scratch_folder(&self, run: &Run<'_>) -> PathBuf {
        self.folder.join(format!("{}-{}.tmp", run.key.hex(), std::process::id()))
    }

    fn kept(&self, run: &Run<'_>) -> PathBuf {
        self.folder.join(run.key.hex())
    }

    /// Runs all steps of a run; `app` is what is mounted at `/app`.
    fn run_steps(&self, run: &Run<'_>, scratch: &Path, app: &Mount) -> Result<(), RunnerError> {
        let downloads = self.folder.with_file_name("packages");
        fs::create_dir_all(&downloads).map_err(|error| RunnerError::io("create", &downloads, &error))?;
        let mut mounts = toolchain::mounts(self.supply.npm(), &downloads, scratch)?;
        mounts.push(app.clone());
        let program = std::env::current_exe()
            .map_err(|error| RunnerError::io("find", Path::new("/proc/self/exe"), &error))?;
        let sandbox = Sandbox::new(program);
        for step in run.steps {
            let command = step.argv.join(" ");
            self.stages.note(&command);
            let job = self.job(step, run.stage, &mounts)?;
            let finished = sandbox
                .run(&job, &mut |line| self.stages.note(&format!("{command}: {line}")))
                .map_err(RunnerError::from_diagnose)?;
            if finished.code != 0 {
                return Err(RunnerError::step(&command, &finished, self.offline));
            }
        }
        Ok(())
    }

    fn job(&self, step: &Step, stage: &str, mounts: &[Mount]) -> Result<Job, RunnerError> {
        let networked = (step.network || stage == "build" && self.build_network) && !self.offline;
        Ok(Job {
            root: Root::ReadOnly(self.builder()?.to_owned()),
            mounts: mounts.to_vec(),
            argv: step.argv.clone(),
            env: toolchain::environment(self.manager, self.native, self.offline),
            cwd: "/app".to_owned(),
            network: if networked { Network::Host } else { Network::None },
            timeout: Some(self.timeout.map_or(TIMEOUT, Duration::from_secs)),
            ..Job::default()
        })
    }

    /// Runs over nothing: `/app` is a plain folder.
    fn run_plain(&self, run: &Run<'_>, scratch: &Scratch) -> Result<PathBuf, RunnerError> {
        let app = scratch.folder.join("app");
        unpack(run.files, &app).map_err(RunnerError::from_diagnose)?;
        let mount = Mount::Bind { source: app.clone(), target: app_path()?, read_only: false };
        self.run_steps(run, &scratch.folder, &mount)?;
        Ok(app)
    }

    /// Runs over the folder of an earlier run, which stays as it is.
    fn run_over(&self, run: &Run<'_>, scratch: &Scratch, lower: PathBuf) -> Result<PathBuf, RunnerError> {
        let (upper, work) = (scratch.folder.join("app"), scratch.folder.join("work"));
        unpack(run.files, &upper).map_err(RunnerError::from_diagnose)?;
        fs::create_dir(&work).map_err(|error| RunnerError::io("create", &work, &error))?;
        let mount = Mount::Overlay { lower: vec![lower], upper: upper.clone(), work, target: app_path()? };
        self.run_steps(run, &scratch.folder, &mount)?;
        Ok(upper)
    }
}

impl Runner for SandboxRunner<'_> {
    type Error = RunnerError;

    fn prepare(&self, run: &Run<'_>) -> Result<(), RunnerError> {
        let kept = self.kept(run);
        if kept.is_dir() {
            return Ok(());
        }
        let scratch = self.scratch(run)?;
        let app = self.run_plain(run, &scratch)?;
        match fs::rename(&app, &kept) {
            Ok(()) => Ok(()),
            // Another kiln was faster; its folder is as good.
            Err(_) if kept.is_dir() => Ok(()),
            Err(error) => Err(RunnerError::io("put in place", &kept, &error)),
        }
    }

    fn yields(&self, run: &Run<'_>) -> Result<Tree, RunnerError> {
        let scratch = self.scratch(run)?;
        let app = match run.over {
            Some(key) => self.run_over(run, &scratch, self.folder.join(key.hex()))?,
            None => self.run_plain(run, &scratch)?,
        };
        let tree = collect(&app).map_err(RunnerError::from_diagnose)?;
        // The content of the tree lies there until it is released.
        std::mem::forget(scratch);
        Ok(tree)
    }

    fn release(&self, run: &Run<'_>) {
        drop(remove(&self.scratch_folder(run)));
    }
}

fn app_path() -> Result<RootPath, RunnerError> {
    RootPath::new("app").map_err(RunnerError::from_diagnose)
}

/// Removes the folders of runs that were killed: their locks are free.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten().filter(|entry| entry.path().extension().is_some_and(|end| end == "tmp")) {
        let is_free = File::open(entry.path().join("lock")).is_ok_and(|lock| lock.try_lock().is_ok());
        if is_free {
            drop(remove(&entry.path()));
        }
    }
}

/// A command that failed, or could not be run.
#[derive(Debug)]
pub(crate) struct RunnerError {
    failure: Failure,
    source: Option<Output>,
}

/// The last lines of a command, as the cause of its failure.
#[derive(Debug)]
struct Output(String);

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Output {}

impl RunnerError {
    fn step(command: &str, finished: &Finished, offline: bool) -> Self {
        let how = if finished.timed_out {
            "did not end in time".to_owned()
        } else {
            format!("failed with exit code {}", finished.code)
        };
        let mut failure = Failure::new("build.command", Class::Command, format!("`{command}` {how}"));
        if offline {
            failure = failure.with_help("run once without --offline, so that what it needs is downloaded");
        }
        let lines: Vec<String> = finished.last_lines.iter().map(|line| format!("    | {line}")).collect();
        let source =
            (!lines.is_empty()).then(|| Output(format!("its last lines were\n{}", lines.join("\n"))));
        Self { failure, source }
    }

    fn io(doing: &str, path: &Path, cause: &std::io::Error) -> Self {
        let failure = Failure::new("build.io", Class::Environment, format!("{doing} `{}`", path.display()));
        Self { failure, source: Some(Output(cause.to_string())) }
    }

    fn from_diagnose<E: Diagnose>(error: E) -> Self {
        Failure::from(error).into()
    }
}

impl From<Failure> for RunnerError {
    fn from(failure: Failure) -> Self {
        let causes = failure.causes.join(": ");
        Self { failure, source: (!causes.is_empty()).then_some(Output(causes)) }
    }
}

impl std::fmt::Display for RunnerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.failure.what)
    }
}

impl std::error::Error for RunnerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

impl Diagnose for RunnerError {
    fn code(&self) -> &'static str {
        self.failure.code
    }

    fn class(&self) -> Class {
        self.failure.class
    }

    fn help(&self) -> Option<String> {
        self.failure.help.clone()
    }
}
