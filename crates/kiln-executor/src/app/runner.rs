//! Runs the commands of a build in the sandbox, and keeps what they leave.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kiln_build::{Run, Runner};
use kiln_disk::{Scratch, disk_failure};
use kiln_finding::{Class, Failure, PortError, size};
use kiln_images::Machine;
use kiln_node::Manager;
use kiln_oci::Digest;
use kiln_plan::{Plan, Step};
use kiln_rootfs::{RootPath, Tree};
use kiln_sandbox::{Finished, Job, Mount, Network, Root, Sandbox, collect, unpack};

use super::bases::Bases;
use super::toolchain::{self, Doing, Sights};
use crate::base::Supply;
use crate::outside::Outside;
use crate::progress::Progress;

/// How long one command may take where nobody says otherwise.
const TIMEOUT: Duration = Duration::from_mins(30);

/// The sandbox, the builder and the folders between them.
pub(crate) struct SandboxRunner<'a> {
    pub(crate) bases: &'a Bases<'a>,
    manager: Manager,
    pub(crate) native: bool,
    pub(crate) supply: &'a Supply,
    pub(crate) progress: &'a dyn Progress,
    pub(crate) offline: bool,
    pub(crate) build_network: bool,
    pub(crate) timeout: Option<u64>,
    outside: &'a Outside,
    /// Why commands got the network of this machine all the same.
    no_bridge: RefCell<Option<String>>,
    folder: PathBuf,
    builder: OnceCell<PathBuf>,
    /// Folders of results that are still read.
    yielded: RefCell<BTreeMap<Digest, Scratch>>,
}

impl<'a> SandboxRunner<'a> {
    pub(crate) fn new(
        bases: &'a Bases<'a>,
        plan: &Plan,
        supply: &'a Supply,
        progress: &'a dyn Progress,
        outside: &'a Outside,
        machine: &Machine,
    ) -> Self {
        let folder = machine.cache_dir.join("runs");
        Scratch::sweep(&folder);
        Self {
            bases,
            manager: plan.manager,
            native: !plan.natives.is_empty(),
            supply,
            progress,
            offline: machine.offline,
            outside,
            build_network: false,
            timeout: None,
            no_bridge: RefCell::default(),
            folder,
            builder: OnceCell::new(),
            yielded: RefCell::default(),
        }
    }

    /// The network that commands had or would have had.
    pub(crate) fn network(&self) -> &'static str {
        if self.offline {
            "none"
        } else if self.no_bridge.borrow().is_some() {
            "host"
        } else {
            self.outside.name()
        }
    }

    fn builder(&self) -> Result<&Path, Failure> {
        if let Some(folder) = self.builder.get() {
            return Ok(folder);
        }
        self.progress.note("composing the builder");
        let folder = self.bases.builder(self.native)?;
        Ok(self.builder.get_or_init(|| folder))
    }

    fn kept(&self, run: &Run<'_>) -> PathBuf {
        self.folder.join(run.key.hex())
    }

    /// Runs all steps of a run; `app` is what is mounted at `/app`.
    fn run_steps(&self, run: &Run<'_>, scratch: &Path, app: &Mount) -> Result<(), Failure> {
        let downloads = self.folder.with_file_name("packages");
        kiln_disk::own::folder(&downloads).map_err(|error| disk_failure("create", &downloads, &error))?;
        let sights = Sights { npm: self.supply.npm(), downloads: &downloads, outside: self.outside, scratch };
        let program = std::env::current_exe()
            .map_err(|error| disk_failure("find", Path::new("/proc/self/exe"), &error))?;
        let sandbox = Sandbox::new(program).with_bridge(self.outside.bridge.clone());
        for step in run.steps {
            let command = step.argv.join(" ");
            self.progress.note(&command);
            let doing = self.doing(step, run.stage);
            let mut mounts = sights.mounts(doing)?;
            mounts.push(app.clone());
            let job = self.job(step, doing, mounts)?;
            let finished =
                sandbox.run(&job, &mut |line| self.progress.note(&format!("{command}: {line}")))?;
            if let Some(why) = &finished.no_bridge {
                self.no_bridge.replace(Some(why.clone()));
            }
            if finished.code != 0 {
                return Err(failed(&command, &finished, self.offline));
            }
        }
        Ok(())
    }

    fn doing(&self, step: &Step, stage: &str) -> Doing {
        if step.network {
            Doing::Fetching
        } else if step.downloads {
            Doing::Unpacking
        } else if stage == "build" && self.build_network && !self.offline {
            Doing::Reaching
        } else {
            Doing::Running
        }
    }

    fn job(&self, step: &Step, doing: Doing, mounts: Vec<Mount>) -> Result<Job, Failure> {
        let networked = matches!(doing, Doing::Fetching | Doing::Reaching) && !self.offline;
        let mut env = toolchain::environment(self.manager, self.native, self.offline);
        if doing == Doing::Fetching {
            env.extend(toolchain::straight(self.supply.npm()));
        }
        Ok(Job {
            root: Root::ReadOnly(self.builder()?.to_owned()),
            mounts,
            argv: step.argv.clone(),
            env,
            cwd: "/app".to_owned(),
            network: if networked { Network::Bridged } else { Network::None },
            timeout: Some(self.timeout.map_or(TIMEOUT, Duration::from_secs)),
            ..Job::default()
        })
    }

    /// Runs over nothing: `/app` is a plain folder.
    fn run_plain(&self, run: &Run<'_>, scratch: &Scratch) -> Result<PathBuf, Failure> {
        let app = scratch.path().join("app");
        unpack(run.files, &app)?;
        let mount = Mount::Bind { source: app.clone(), target: app_path()?, read_only: false };
        self.run_steps(run, scratch.path(), &mount)?;
        Ok(app)
    }

    /// Runs over the folder of an earlier run, which stays as it is.
    fn run_over(&self, run: &Run<'_>, scratch: &Scratch, lower: PathBuf) -> Result<PathBuf, Failure> {
        let (upper, work) = (scratch.path().join("app"), scratch.path().join("work"));
        unpack(run.files, &upper)?;
        kiln_disk::own::new_folder(&work).map_err(|error| disk_failure("create", &work, &error))?;
        let mount = Mount::Overlay { lower: vec![lower], upper: upper.clone(), work, target: app_path()? };
        self.run_steps(run, scratch.path(), &mount)?;
        Ok(upper)
    }
}

impl SandboxRunner<'_> {
    fn keep(&self, run: &Run<'_>) -> Result<(), Failure> {
        let kept = self.kept(run);
        if kept.is_dir() {
            return Ok(());
        }
        let scratch = Scratch::create(&self.folder)?;
        let app = self.run_plain(run, &scratch)?;
        match kiln_disk::own::rename(&app, &kept) {
            Ok(()) => Ok(()),
            // Another kiln was faster; its folder is as good.
            Err(_) if kept.is_dir() => Ok(()),
            Err(error) => Err(disk_failure("put in place", &kept, &error)),
        }
    }

    fn collect(&self, run: &Run<'_>) -> Result<Tree, Failure> {
        let scratch = Scratch::create(&self.folder)?;
        let app = match run.over {
            Some(key) => self.run_over(run, &scratch, self.folder.join(key.hex()))?,
            None => self.run_plain(run, &scratch)?,
        };
        let tree = collect(&app)?;
        // The content of the tree lies there until it is released.
        self.yielded.borrow_mut().insert(run.key, scratch);
        Ok(tree)
    }
}

impl Runner for SandboxRunner<'_> {
    type Error = PortError;

    fn prepare(&self, run: &Run<'_>) -> Result<(), PortError> {
        self.keep(run).map_err(PortError::new)
    }

    fn yields(&self, run: &Run<'_>) -> Result<Tree, PortError> {
        self.collect(run).map_err(PortError::new)
    }

    fn release(&self, run: &Run<'_>) {
        drop(self.yielded.borrow_mut().remove(&run.key));
    }
}

fn app_path() -> Result<RootPath, Failure> {
    Ok(RootPath::new("app")?)
}

/// A command that failed.
fn failed(command: &str, finished: &Finished, offline: bool) -> Failure {
    let how = if finished.timed_out {
        "did not end in time".to_owned()
    } else if let Some(memory) = finished.ran_out {
        format!("took all the memory that it may have, {}, and a process of it was ended", size(memory))
    } else {
        format!("failed with exit code {}", finished.code)
    };
    let mut failure = Failure::new("build.command", Class::Command, format!("`{command}` {how}"));
    if offline {
        failure = failure.with_help("run once without --offline, so that what it needs is downloaded");
    }
    let lines: Vec<String> = finished.last_lines.iter().map(|line| format!("    | {line}")).collect();
    if lines.is_empty() {
        failure
    } else {
        failure.with_cause(format!("its last lines were\n{}", lines.join("\n")))
    }
}
