//! What a command of an app's build sees: settings of package managers, downloads, secrets.

use kiln_dockerfile::Sharing;
use kiln_node::Manager;
use kiln_plan::{Plan, Step};

use super::environment::environment;
use crate::engine::{Exec, ExecMount, ExecMountKind, Writes};

/// The secret that holds npm's settings of this machine, logins among them.
pub const NPMRC: &str = "kiln:npmrc";
/// The same for code that nobody has reason to trust: where packages come from, and not who asks.
pub const NPMRC_WITHOUT_LOGINS: &str = "kiln:npmrc-without-logins";
/// The secret that holds the same for yarn 2 and newer.
pub const YARNRC: &str = "kiln:yarnrc";
/// The secret that holds the certificates which this machine's clients trust.
pub const CERTIFICATES: &str = "kiln:certificates";

/// Variables of commands that have logins: they stand above settings of the project, so that these put nobody between a package
/// manager and the registry. Their values are secrets, `kiln:` before the name.
const STRAIGHT: [&str; 4] =
    ["npm_config_https_proxy", "npm_config_proxy", "npm_config_noproxy", "npm_config_strict_ssl"];
/// The same for yarn 1, which takes `null` for the name of a proxy, and its own settings before those of npm.
const STRAIGHT_YARN: [&str; 12] = [
    "npm_config_ca",
    "npm_config_cafile",
    "npm_config_https_proxy",
    "npm_config_proxy",
    "npm_config_noproxy",
    "npm_config_strict_ssl",
    "yarn_ca",
    "yarn_cafile",
    "yarn_https_proxy",
    "yarn_proxy",
    "yarn_noproxy",
    "yarn_strict_ssl",
];

/// The same for bun, which reads the usual ones.
const STRAIGHT_BUN: [&str; 4] = ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"];

/// The variables for a package manager.
pub fn straight(manager: Manager) -> &'static [&'static str] {
    match manager {
        Manager::Yarn => &STRAIGHT_YARN,
        Manager::Bun => &STRAIGHT_BUN,
        Manager::Npm | Manager::Pnpm => &STRAIGHT,
    }
}

/// Keeps yarn from starting anything while it has logins: generators of packages, and what packs repositories.
const ALONE: &[u8] = include_bytes!("alone.cjs");
const ALONE_AT: &str = "/run/kiln/alone.cjs";

const ROOT: (u32, u32) = (0, 0);
const HOSTNAME: &str = "kiln";
const AGENT: &str = "/run/kiln/ssh_agent";

/// What the commands of a build may use of this machine. None of it counts in a key.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Commands have no network, and package managers are told so.
    pub is_offline: bool,
    /// The build script may reach the network.
    pub has_network: bool,
    /// Secrets that the build script is given, by id.
    pub secrets: Vec<String>,
    /// SSH agents that commands which fetch packages and the build script are given, by id.
    pub agents: Vec<String>,
}

/// What a command does, and so what it may see of this machine.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// Fetches packages, and runs no code of theirs or of the app's: has logins, and keeps downloads.
    Fetching,
    /// Installs what was fetched, with code of the app's: what it writes to the downloads is lost.
    Unpacking,
    /// Runs the build script, which may reach the network.
    Reaching,
    /// Runs code of the app's or of packages.
    Running,
}

/// Makes commands of steps.
pub(super) struct Commands<'a> {
    pub(super) plan: &'a Plan,
    pub(super) around: &'a Surroundings,
}

impl Commands<'_> {
    /// The command of a step; `is_build` if it is of the app's build script.
    pub(super) fn exec(&self, step: &Step, is_build: bool) -> Exec {
        let doing = self.doing(step, is_build);
        let mut silent_env = Vec::new();
        if self.around.is_offline {
            silent_env.push(("npm_config_offline".to_owned(), "true".to_owned()));
        }
        Exec {
            argv: step.argv.clone(),
            env: self.environment(doing),
            silent_env,
            cwd: "/app".to_owned(),
            user: String::new(),
            network: matches!(doing, Doing::Fetching | Doing::Reaching),
            hostname: HOSTNAME.to_owned(),
            mounts: self.mounts(doing, is_build),
        }
    }

    fn environment(&self, doing: Doing) -> Vec<(String, String)> {
        let manager = (self.plan.manager, self.plan.linker);
        let mut env = environment(manager, !self.plan.natives.is_empty());
        if self.plan.linker.is_some() && doing == Doing::Fetching {
            env.push(("NODE_OPTIONS".to_owned(), format!("--require {ALONE_AT}")));
        }
        env
    }

    fn doing(&self, step: &Step, is_build: bool) -> Doing {
        match () {
            () if step.network => Doing::Fetching,
            () if step.downloads => Doing::Unpacking,
            () if is_build && self.around.has_network => Doing::Reaching,
            () => Doing::Running,
        }
    }

    fn mounts(&self, doing: Doing, is_build: bool) -> Vec<ExecMount> {
        let mut mounts = vec![
            tmpfs("/tmp"),
            tmpfs("/root"),
            own_secret(CERTIFICATES, "/etc/ssl/certs/kiln-machine.crt", 0o444),
        ];
        match doing {
            Doing::Fetching if self.plan.linker.is_some() => {
                let alone = ExecMountKind::Script(ALONE.into());
                mounts.push(ExecMount { read_only: true, ..mount(ALONE_AT, alone) });
                mounts.push(own_secret(YARNRC, "/root/.yarnrc.yml", 0o400));
            }
            Doing::Fetching => {
                mounts.extend(self.downloads(Writes::Kept));
                mounts.push(own_secret(NPMRC, "/root/.npmrc", 0o400));
                mounts.extend(straight(self.plan.manager).iter().copied().map(own_variable));
            }
            Doing::Unpacking => mounts.extend(self.downloads(Writes::Lost)),
            Doing::Reaching => mounts.push(own_secret(NPMRC_WITHOUT_LOGINS, "/root/.npmrc", 0o400)),
            Doing::Running => {}
        }
        if is_build {
            mounts.extend(self.around.secrets.iter().map(|id| given_secret(id)));
        }
        if is_build || doing == Doing::Fetching {
            mounts.extend(self.around.agents.iter().enumerate().map(|(number, id)| agent(number, id)));
        }
        mounts
    }

    /// What package managers downloaded. bun believes what lies there, so it gets nothing of others, and yarn 2 keeps its own.
    fn downloads(&self, writes: Writes) -> Option<ExecMount> {
        if self.plan.manager == Manager::Bun {
            return None;
        }
        // The first yarn takes no care of others at its cache.
        let sharing = if self.plan.manager == Manager::Yarn { Sharing::Locked } else { Sharing::Shared };
        let kind = ExecMountKind::Cache {
            id: "kiln:packages".to_owned(),
            from: None,
            sharing,
            mode: 0o755,
            owner: ROOT,
            writes,
        };
        Some(mount("/root/.npm", kind))
    }
}

fn mount(target: &str, kind: ExecMountKind) -> ExecMount {
    ExecMount { target: target.to_owned(), read_only: false, kind }
}

fn tmpfs(target: &str) -> ExecMount {
    mount(target, ExecMountKind::Tmpfs(None))
}

/// One of kiln's own, where there is one.
fn own_secret(id: &str, target: &str, mode: u32) -> ExecMount {
    let kind =
        ExecMountKind::Secret { id: id.to_owned(), env: None, file: Some((mode, ROOT)), required: false };
    ExecMount { read_only: true, ..mount(target, kind) }
}

/// One of kiln's own, as a variable.
fn own_variable(name: &str) -> ExecMount {
    let kind = ExecMountKind::Secret {
        id: format!("kiln:{name}"),
        env: Some(name.to_owned()),
        file: None,
        required: true,
    };
    mount("/root", kind)
}

/// One of the user's: a file, and a variable where its id can be the name of one.
fn given_secret(id: &str) -> ExecMount {
    let is_name = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !id.starts_with(|first: char| first.is_ascii_digit());
    let kind = ExecMountKind::Secret {
        id: id.to_owned(),
        env: is_name.then(|| id.to_owned()),
        file: Some((0o400, ROOT)),
        required: true,
    };
    ExecMount { read_only: true, ..mount(&format!("/run/secrets/{id}"), kind) }
}

fn agent(number: usize, id: &str) -> ExecMount {
    mount(&format!("{AGENT}.{number}"), ExecMountKind::Ssh { id: id.to_owned(), required: true })
}
