//! Runs the command of a `RUN` over the folders of its layers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use kiln_build::dockerfile::{ExecMountKind, Job, JobMount, Layer, MountContent, Origin};
use kiln_disk::{Dir, Holding, Lock, Scratch, disk_failure};
use kiln_dockerfile::Sharing;
use kiln_fetch::endpoints::Npm;
use kiln_finding::{Class, Failure, size};
use kiln_oci::Digest;
use kiln_rootfs::{Delta, Entry, Kind, RootPath, Tree};
use kiln_sandbox::{Finished, Ids, Mount, Network, Placing, Root, Sandbox, User, remove_stubs, write_upper};

use super::workshop::{Shop, owners};
use crate::outside::{Outside, hosts};

/// How long one command may take where nobody says otherwise.
const TIMEOUT: Duration = Duration::from_hours(2);

/// What commands are given besides their layers.
pub(super) struct Executor<'a> {
    /// `--secret`, by id.
    pub(super) secrets: BTreeMap<String, Vec<u8>>,
    /// `--ssh`: sockets of agents, by id.
    pub(super) agents: BTreeMap<String, PathBuf>,
    pub(super) timeout: Option<Duration>,
    pub(super) offline: bool,
    /// What commands with network reach.
    pub(super) outside: Outside,
    /// Settings of this machine's npm, where commands may have them.
    pub(super) npm: Option<&'a Npm>,
    /// `mounts` of the cache: what cache mounts hold.
    pub(super) caches: PathBuf,
    pub(super) on_line: &'a (dyn Fn(&Origin, &str) + Sync),
}

/// What a command sees, put together.
struct Setting {
    mounts: Vec<Mount>,
    env: Vec<(String, String)>,
    /// Held until the command is over.
    locks: Vec<Lock>,
}

impl Executor<'_> {
    /// Runs a job. What it changed lies in `fs` of the scratch folder afterwards.
    pub(super) fn run(&self, shop: &Shop<'_>, job: &Job<'_>, scratch: &Scratch) -> Result<(), Failure> {
        let (upper, work) = (scratch.folder("fs")?, scratch.folder("work")?);
        for folder in [&upper, &work] {
            own(folder, shop.ids, (0, 0), 0o755)?;
        }
        let mut lower = Vec::new();
        for layer in job.below.iter().rev() {
            let place = shop.folder_of(layer)?;
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
        let setting = self.setting(shop, job, scratch)?;
        let sandboxed = kiln_sandbox::Job {
            root: Root::Overlay { lower, upper: upper.clone(), work },
            mounts: setting.mounts,
            argv: job.exec.argv.clone(),
            env: setting.env,
            cwd: job.exec.cwd.clone(),
            network: if job.exec.network && !self.offline { Network::Bridged } else { Network::None },
            timeout: Some(self.timeout.unwrap_or(TIMEOUT)),
            memory: None,
            hostname: job.exec.hostname.clone(),
            user: User { uid: job.user.uid, gid: job.user.gid, groups: job.user.groups.clone() },
            ids: shop.ids,
        };
        let program = std::env::current_exe()
            .map_err(|error| disk_failure("find", Path::new("/proc/self/exe"), &error))?;
        let mut last = Vec::new();
        let finished =
            Sandbox::new(program).with_bridge(self.outside.bridge.clone()).run(&sandboxed, &mut |line| {
                (self.on_line)(job.origin, line);
                last.push(line.to_owned());
                if last.len() > 2 * LINES_SHOWN {
                    last.drain(..LINES_SHOWN);
                }
            })?;
        drop(setting.locks);
        if let Some(why) = &finished.no_bridge {
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

    fn setting(&self, shop: &Shop<'_>, job: &Job<'_>, scratch: &Scratch) -> Result<Setting, Failure> {
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
            files.extend(self.outside.resolver(&network)?.map(|resolver| (RESOLVER, resolver)));
        }
        for (name, source) in files {
            if let Some(target) = place_of(job, name) {
                setting.mounts.push(Mount::Bind { source, target, read_only: true });
            }
        }
        if let (Some(npm), true) = (self.npm, job.exec.network) {
            let (env, mounts) = crate::app::npm_settings(npm, &scratch.folder("npm")?)?;
            let readable = scratch.path().join("npm/npmrc");
            own(&readable, shop.ids, (job.user.uid, job.user.gid), 0o400)?;
            setting.env.retain(|(name, _)| env.iter().all(|(other, _)| other != name));
            setting.env.extend(env);
            setting.mounts.extend(mounts);
        }
        for (number, mount) in job.mounts.iter().enumerate() {
            let folder = scratch.folder(&format!("mount-{number}"))?;
            self.mount(shop, job, mount, &folder, &mut setting)?;
        }
        Ok(setting)
    }

    fn mount(
        &self,
        shop: &Shop<'_>,
        job: &Job<'_>,
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
                    setting.mounts.push(files(shop, content, mount, folder)?);
                }
            }
            ExecMountKind::Cache { id, sharing, mode, owner, .. } => {
                let source = self.cache(shop, id, (*sharing, *mode, *owner), mount, folder, setting)?;
                setting.mounts.push(bind(source));
            }
            ExecMountKind::Tmpfs(size) => setting.mounts.push(Mount::Tmpfs { target, size: *size }),
            ExecMountKind::Secret { id, env, file, required } => match self.secrets.get(id) {
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
                        own(&path, shop.ids, *owner, *mode)?;
                        setting.mounts.push(bind(path));
                    }
                }
            },
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
                own(&path, shop.ids, (job.user.uid, job.user.gid), 0o755)?;
                setting.mounts.push(bind(path));
            }
        }
        Ok(())
    }

    /// The folder of a cache mount.
    fn cache(
        &self,
        shop: &Shop<'_>,
        id: &str,
        (sharing, mode, owner): (Sharing, u32, (u32, u32)),
        mount: &JobMount<'_>,
        folder: &Path,
        setting: &mut Setting,
    ) -> Result<PathBuf, Failure> {
        let kept = self.caches.join(owners(shop.ids)).join(Digest::of(id.as_bytes()).hex());
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
                write_upper(&Delta::placing(subtree(tree, path)?), &source, shop.ids, Placing::Copy)?;
            }
            Some(MountContent::Layers(layers, path)) => {
                let tree = merged(shop, layers)?;
                write_upper(&Delta::placing(subtree(&tree, path)?), &source, shop.ids, Placing::Copy)?;
            }
            None => {
                kiln_disk::own::folder(&source).map_err(|error| disk_failure("create", &source, &error))?;
            }
        }
        own(&source, shop.ids, owner, mode)?;
        Ok(source)
    }

    fn failed(&self, job: &Job<'_>, finished: &Finished) -> Failure {
        let what = if finished.timed_out {
            let limit = self.timeout.unwrap_or(TIMEOUT).as_secs();
            format!("it was still running after {limit} seconds and was stopped")
        } else if let Some(memory) = finished.ran_out {
            format!(
                "a process of it was ended because it took all the memory that it may have, {}",
                size(memory)
            )
        } else {
            format!("it ended with exit code {}", finished.code)
        };
        let lines: Vec<&str> = finished.last_lines.iter().map(String::as_str).collect();
        let lines = &lines[lines.len().saturating_sub(LINES_SHOWN)..];
        let mut failure = Failure::new("build.command", Class::Command, what);
        if !lines.is_empty() {
            failure = failure.with_cause(format!("its last lines were\n{}", lines.join("\n")));
        }
        match finished.code {
            _ if finished.timed_out => failure.with_help("give it more time with --timeout"),
            _ if self.offline => failure.with_help("kiln runs offline, so commands have no network"),
            _ if !job.exec.network => failure.with_help("this command has no network (--network=none)"),
            126 | 127 => failure.with_help("is the program in the image, and is it in PATH?"),
            _ => failure,
        }
    }
}

/// Files that tell a command of its network.
const HOSTS: &str = "etc/hosts";
const RESOLVER: &str = "etc/resolv.conf";
/// How many of a command's last lines are shown when it fails.
const LINES_SHOWN: usize = 30;

/// A bind mount's files, without copying where they lie on disk already.
fn files(
    shop: &Shop<'_>,
    content: &MountContent,
    mount: &JobMount<'_>,
    folder: &Path,
) -> Result<Mount, Failure> {
    let target = mount.target.clone();
    let lower = match content {
        MountContent::Tree(tree, path) => vec![tree_on_disk(shop, tree, path, folder)?],
        MountContent::Layers(layers, path) => layers_on_disk(shop, layers, path)?,
    };
    match &lower[..] {
        [] => Err(Failure::new(
            "build.mount",
            Class::Config,
            format!("mount at /{target}: what it shows is not there"),
        )),
        [only] if mount.read_only || only.is_file() => {
            Ok(Mount::Bind { source: only.clone(), target, read_only: mount.read_only })
        }
        _ => {
            let (upper, work) = (folder.join("upper"), folder.join("work"));
            for folder in [&upper, &work] {
                kiln_disk::own::folder(folder).map_err(|error| disk_failure("create", folder, &error))?;
                own(folder, shop.ids, (0, 0), 0o755)?;
            }
            Ok(Mount::Overlay { lower, upper, work, target })
        }
    }
}

fn tree_on_disk(shop: &Shop<'_>, tree: &Tree, path: &RootPath, folder: &Path) -> Result<PathBuf, Failure> {
    let path = tree.resolve(path, true).unwrap_or_else(|| path.clone());
    let fs_folder = folder.join("fs");
    match tree.get(&path) {
        Some(Entry { attrs, kind: kind @ Kind::File(_) }) => {
            let mut one = Tree::new();
            one.insert(RootPath::new("file")?, Entry { attrs: attrs.clone(), kind: kind.clone() })?;
            write_upper(&Delta::placing(one), &fs_folder, shop.ids, Placing::Copy)?;
            Ok(fs_folder.join("file"))
        }
        None if !path.is_root() => {
            let what = format!("mount `{path}`: it is not in the build context");
            Err(Failure::new("build.mount", Class::Config, what))
        }
        _ => {
            write_upper(&Delta::placing(subtree(tree, &path)?), &fs_folder, shop.ids, Placing::Copy)?;
            Ok(fs_folder)
        }
    }
}

/// What lies below a path, as a tree of its own.
fn subtree(tree: &Tree, top: &RootPath) -> Result<Tree, Failure> {
    let mut below = Tree::new();
    for (path, entry) in tree.below(top).filter(|(path, _)| *path != top) {
        let mut entry = entry.clone();
        if let Kind::Hardlink(target) = &entry.kind {
            entry.kind = if target.starts_with(top) {
                Kind::Hardlink(rebased(target, top)?)
            } else {
                tree.get(target).map_or(entry.kind, |file| file.kind.clone())
            };
        }
        below.insert(rebased(path, top)?, entry)?;
    }
    Ok(below)
}

fn rebased(path: &RootPath, top: &RootPath) -> Result<RootPath, Failure> {
    Ok(RootPath::normalise(path.as_str()[top.as_str().len()..].trim_start_matches('/'))?)
}

fn merged(shop: &Shop<'_>, layers: &[Layer]) -> Result<Arc<Tree>, Failure> {
    use kiln_build::dockerfile::{Depth, Workshop};
    let mut tree = Tree::new();
    for layer in layers {
        shop.read(layer, Depth::Content)?.apply(&mut tree)?;
    }
    Ok(Arc::new(tree))
}

/// The folders of all layers that hold something of a path, topmost first, down to one that hides what is below.
fn layers_on_disk(shop: &Shop<'_>, layers: &[Layer], path: &RootPath) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for layer in layers.iter().rev() {
        let place = shop.folder_of(layer)?;
        let folder = Dir::open(&place).map_err(|error| disk_failure("read", &place, &error))?;
        match folder.meta(path) {
            Ok(entry) if entry.is_dir() => found.push(folder.place_of(path)),
            Ok(entry) if entry.is_file() && found.is_empty() => return Ok(vec![folder.place_of(path)]),
            Ok(_) => break,
            Err(_) => {}
        }
        if kiln_sandbox::hides(&folder, path) {
            break;
        }
    }
    Ok(found)
}

/// Gives a file or folder to a user inside.
fn own(path: &Path, ids: Ids, (uid, gid): (u32, u32), mode: u32) -> Result<(), Failure> {
    let set = || {
        kiln_sandbox::own(path, ids, uid, gid)?;
        kiln_disk::own::set_mode(path, mode)
    };
    set().map_err(|error| disk_failure("set the owner of", path, &error))
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
