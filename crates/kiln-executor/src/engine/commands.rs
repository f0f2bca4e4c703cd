//! Runs a command over the folders of its layers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kiln_build::engine::{ExecMountKind, Job, JobMount, MountContent, Origin, Writes};
use kiln_disk::{Dir, Holding, Lock, Scratch, disk_failure};
use kiln_dockerfile::Sharing;
use kiln_fetch::endpoints::Npm;
use kiln_finding::{Class, Failure, size};
use kiln_oci::Digest;
use kiln_rootfs::{Delta, RootPath};
use kiln_sandbox::{Finished, Mount, Network, Placing, Root, Sandbox, User, remove_stubs, write_upper};

use super::given::{Given, GivenOnce};
use super::last_lines::telling;
use super::layer_store::{LayerStore, owners};
use super::mounts::{files, merged, overlay, own, subtree};
use crate::outside::hosts;

/// How programs say that they reach nothing.
const NO_NETWORK: [&str; 10] = [
    "EAI_AGAIN",
    "ENOTFOUND",
    "ENETUNREACH",
    "ECONNREFUSED",
    "Could not resolve host",
    "fetch failed",
    "from Google Fonts",
    "Name or service not known",
    "Network is unreachable",
    "Temporary failure in name resolution",
];
/// Files that tell a command of its network.
const HOSTS: &str = "etc/hosts";
const RESOLVER: &str = "etc/resolv.conf";

/// Runs commands, and gives them what they need besides their layers.
pub(super) struct Commands<'a> {
    /// `--secret`, by id.
    pub(super) secrets: &'a BTreeMap<String, Vec<u8>>,
    /// `--ssh`: sockets of agents, by id.
    pub(super) agents: BTreeMap<String, PathBuf>,
    pub(super) timeout: Duration,
    pub(super) offline: bool,
    /// What helps a command that wants a network and has none.
    pub(super) without_network: &'static str,
    /// What commands need of this machine.
    pub(super) given: GivenOnce<'a>,
    /// Settings of this machine's npm, where commands may have them.
    pub(super) npm: Option<&'a Npm>,
    /// `mounts` of the cache: what cache mounts hold.
    pub(super) caches: PathBuf,
    pub(super) on_line: &'a (dyn Fn(&Origin, &str) + Sync),
    /// Whether some command got this machine's network in place of one of its own.
    pub(super) had_host_network: AtomicBool,
}

/// What a command sees, put together.
struct Setting {
    mounts: Vec<Mount>,
    env: Vec<(String, String)>,
    /// Held until the command is over.
    locks: Vec<Lock>,
}

impl Commands<'_> {
    /// Runs a job. What it changed lies in `fs` of the scratch folder afterwards.
    pub(super) fn run(
        &self,
        store: &LayerStore<'_>,
        job: &Job<'_>,
        scratch: &Scratch,
    ) -> Result<(), Failure> {
        let (upper, work) = (scratch.folder("fs")?, scratch.folder("work")?);
        for folder in [&upper, &work] {
            own(folder, store.ids, (0, 0), 0o755)?;
        }
        let mut lower = Vec::new();
        for layer in job.below.iter().rev() {
            let place = store.folder_of(layer)?;
            let folder = Dir::open(&place).map_err(|error| disk_failure("read", &place, &error))?;
            lower.push(place);
            if kiln_sandbox::hides(&folder, &RootPath::ROOT) {
                break;
            }
        }
        if lower.is_empty() {
            // An overlay has something below.
            lower.push(scratch.folder("nothing")?);
        }
        let given = self.given.get()?;
        let setting = self.setting(store, job, &given, scratch)?;
        let sandboxed = kiln_sandbox::Job {
            root: Root::Overlay { lower, upper: upper.clone(), work },
            mounts: setting.mounts,
            argv: job.exec.argv.clone(),
            env: setting.env,
            cwd: job.exec.cwd.clone(),
            network: if job.exec.network && !self.offline { Network::Bridged } else { Network::None },
            timeout: Some(self.timeout),
            memory: None,
            hostname: job.exec.hostname.clone(),
            user: User { uid: job.user.uid, gid: job.user.gid, groups: job.user.groups.clone() },
            ids: store.ids,
        };
        let program = std::env::current_exe()
            .map_err(|error| disk_failure("find", Path::new("/proc/self/exe"), &error))?;
        let sandbox = Sandbox::new(program).with_bridge(given.outside.bridge.clone());
        let finished = sandbox.run(&sandboxed, &mut |line| (self.on_line)(job.origin, line))?;
        drop(setting.locks);
        if let Some(why) = &finished.no_bridge {
            self.had_host_network.store(true, Ordering::Relaxed);
            let line = format!("kiln: this command had the machine's network: pasta did not start: {why}");
            (self.on_line)(job.origin, &line);
        }
        if finished.code != 0 {
            return Err(self.failed(job, &finished));
        }
        if let Some(memory) = finished.ran_out {
            let line = format!(
                "kiln: a process of this command was ended: it had taken all of the {}",
                size(memory)
            );
            (self.on_line)(job.origin, &line);
        }
        tidy(&upper, job);
        Ok(())
    }

    fn setting(
        &self,
        store: &LayerStore<'_>,
        job: &Job<'_>,
        given: &Given,
        scratch: &Scratch,
    ) -> Result<Setting, Failure> {
        let mut env = job.exec.env.clone();
        env.extend(job.exec.silent_env.iter().cloned());
        if !env.iter().any(|(name, _)| name == "HOME") {
            env.push(("HOME".to_owned(), job.user.home.clone()));
        }
        let mut setting = Setting { mounts: Vec::new(), env, locks: Vec::new() };
        setting.mounts.push(Mount::Sys);
        let network = scratch.folder("network")?;
        let mut files = vec![(HOSTS, hosts(&network, &job.exec.hostname, job.exec.network)?)];
        if job.exec.network {
            files.extend(given.outside.resolver(&network)?.map(|resolver| (RESOLVER, resolver)));
        }
        for (name, source) in files {
            if let Some(target) = place_of(job, name) {
                setting.mounts.push(Mount::Bind { source, target, read_only: true });
            }
        }
        if let (Some(npm), true) = (self.npm, job.exec.network) {
            let (env, mounts) = crate::npm::npm_settings(npm, &scratch.folder("npm")?)?;
            let readable = scratch.path().join("npm/npmrc");
            own(&readable, store.ids, (job.user.uid, job.user.gid), 0o400)?;
            setting.env.retain(|(name, _)| env.iter().all(|(other, _)| other != name));
            setting.env.extend(env);
            setting.mounts.extend(mounts);
        }
        for (number, mount) in job.mounts.iter().enumerate() {
            let folder = scratch.folder(&format!("mount-{number}"))?;
            self.mount(store, job, given, mount, &folder, &mut setting)?;
        }
        Ok(setting)
    }

    fn mount(
        &self,
        store: &LayerStore<'_>,
        job: &Job<'_>,
        given: &Given,
        mount: &JobMount<'_>,
        folder: &Path,
        setting: &mut Setting,
    ) -> Result<(), Failure> {
        let target = mount.target.clone();
        let read_only = mount.read_only;
        let bind = |source| Mount::Bind { source, target: target.clone(), read_only };
        match mount.kind {
            ExecMountKind::Bind(..) => {
                if let Some(content) = &mount.content {
                    setting.mounts.push(files(store, content, mount, folder)?);
                }
            }
            ExecMountKind::Cache { id, sharing, mode, owner, writes, .. } => {
                let source = self.cache(store, id, (*sharing, *mode, *owner), mount, folder, setting)?;
                setting.mounts.push(match writes {
                    Writes::Kept => bind(source),
                    Writes::Lost => overlay(store, vec![source], target, folder)?,
                });
            }
            ExecMountKind::Tmpfs(size) => setting.mounts.push(Mount::Tmpfs { target, size: *size }),
            ExecMountKind::Secret { id, env, file, required } => {
                match given.secrets.get(id).or_else(|| self.secrets.get(id)) {
                    None if *required => return Err(no_secret(id)),
                    None => {}
                    Some(secret) => {
                        if let Some(name) = env {
                            let value = String::from_utf8_lossy(secret).into_owned();
                            setting.env.retain(|(known, _)| known != name);
                            setting.env.push((name.clone(), value));
                        }
                        if let Some((mode, owner)) = file {
                            let path = folder.join("secret");
                            write_private(&path, secret)?;
                            own(&path, store.ids, *owner, *mode)?;
                            setting.mounts.push(bind(path));
                        }
                    }
                }
            }
            ExecMountKind::Ssh { id, required } => match self.agents.get(id) {
                None if *required => return Err(no_agent(id)),
                None => {}
                Some(socket) => {
                    setting.mounts.push(bind(socket.clone()));
                    setting.env.push(("SSH_AUTH_SOCK".to_owned(), format!("/{target}")));
                }
            },
            ExecMountKind::Script(text) => {
                let path = folder.join("script");
                write_private(&path, text)?;
                own(&path, store.ids, (job.user.uid, job.user.gid), 0o755)?;
                setting.mounts.push(bind(path));
            }
        }
        Ok(())
    }

    /// The folder of a cache mount.
    fn cache(
        &self,
        store: &LayerStore<'_>,
        id: &str,
        (sharing, mode, owner): (Sharing, u32, (u32, u32)),
        mount: &JobMount<'_>,
        folder: &Path,
        setting: &mut Setting,
    ) -> Result<PathBuf, Failure> {
        let kept = self.caches.join(owners(store.ids)).join(Digest::of(id.as_bytes()).hex());
        kiln_disk::own::folder(&kept).map_err(|error| disk_failure("create", &kept, &error))?;
        let lock_path = kept.join("lock");
        let lock = match sharing {
            Sharing::Shared => Ok(None),
            Sharing::Locked => Lock::wait(&lock_path, Holding::Alone).map(Some),
            Sharing::Private => Lock::attempt(&lock_path, Holding::Alone),
        };
        let lock = lock.map_err(|error| disk_failure("lock", &lock_path, &error))?;
        // Whoever comes while another uses it gets one of its own, which is not kept.
        let is_own = sharing == Sharing::Private && lock.is_none();
        let source = if is_own { folder } else { &kept }.join("fs");
        setting.locks.extend(lock);
        if source.is_dir() {
            return Ok(source);
        }
        match &mount.content {
            Some(MountContent::Tree(tree, path)) => {
                write_upper(&Delta::placing(subtree(tree, path)?), &source, store.ids, Placing::Copy)?;
            }
            Some(MountContent::Layers(layers, path)) => {
                let tree = merged(store, layers)?;
                write_upper(&Delta::placing(subtree(&tree, path)?), &source, store.ids, Placing::Copy)?;
            }
            None => {
                kiln_disk::own::folder(&source).map_err(|error| disk_failure("create", &source, &error))?;
            }
        }
        own(&source, store.ids, owner, mode)?;
        Ok(source)
    }

    fn failed(&self, job: &Job<'_>, finished: &Finished) -> Failure {
        let what = if finished.timed_out {
            let limit = self.timeout.as_secs();
            let unit = if limit == 1 { "second" } else { "seconds" };
            format!("it was still running after {limit} {unit} and was stopped")
        } else if let Some(memory) = finished.ran_out {
            format!(
                "a process of it was ended because it took all the memory that it may have, {}",
                size(memory)
            )
        } else {
            format!("it ended with exit code {}", finished.code)
        };
        let lines = &telling(&finished.last_lines);
        let mut failure = Failure::new("build.command", Class::Command, what);
        if lines.iter().any(|line| !line.trim().is_empty()) {
            failure = failure.with_cause(format!("its last lines were\n{}", lines.join("\n")));
        }
        match finished.code {
            _ if finished.timed_out => failure.with_help("give it more time with --timeout"),
            _ if self.offline && job.exec.network => {
                failure.with_help("run once without --offline, so that what it needs is downloaded")
            }
            _ if !job.exec.network && tells_of_network(&finished.last_lines) => {
                failure.with_help(self.without_network)
            }
            126 | 127 => failure.with_help("is the program in the image, and is it in PATH?"),
            _ => failure,
        }
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    kiln_disk::create(path, bytes, kiln_disk::PRIVATE).map_err(|error| disk_failure("write", path, &error))
}

/// Where a file that kiln makes for a command is mounted: where the base has it by a link, there. `None` where that is no place
/// to mount at: the command goes without it.
fn place_of(job: &Job<'_>, name: &str) -> Option<RootPath> {
    let path = (job.follow)(&RootPath::new(name).ok()?)?;
    let is_kernels = ["proc", "sys", "dev"].contains(&path.parts().next()?);
    (!is_kernels).then_some(path)
}

/// Removes the places that mounts took in the root.
fn tidy(upper: &Path, job: &Job<'_>) {
    let fixed = ["proc", "sys", "dev", "run/kiln/npmrc", "run/kiln/machine.crt"];
    let fixed = fixed.iter().filter_map(|path| RootPath::new(path).ok());
    let fixed = fixed.chain([HOSTS, RESOLVER].iter().filter_map(|name| place_of(job, name)));
    // What cannot be opened holds no stubs that could be removed.
    let Ok(upper) = Dir::open(upper) else { return };
    for path in job.mounts.iter().map(|mount| mount.target.clone()).chain(fixed) {
        remove_stubs(&upper, &path, &|path| !(job.exists)(path));
    }
}

fn no_secret(id: &str) -> Failure {
    Failure::new("build.secret", Class::Usage, format!("give the command the secret `{id}`: there is none"))
        .with_help(format!("pass it with --secret id={id},src=FILE or --secret id={id},env=NAME"))
}

fn no_agent(id: &str) -> Failure {
    Failure::new("build.ssh", Class::Usage, format!("give the command the SSH agent `{id}`: there is none"))
        .with_help(format!("pass it with --ssh {id}, or --ssh {id}=SOCKET"))
}

fn tells_of_network(lines: &[String]) -> bool {
    lines.iter().any(|line| NO_NETWORK.iter().any(|words| line.contains(words)))
}
