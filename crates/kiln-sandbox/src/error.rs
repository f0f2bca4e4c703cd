use std::io;
use std::path::{Path, PathBuf};

use kiln_finding::{Class, Diagnose};

/// Why a command could not be run, or a tree not be moved. A command that ran and failed is no error here.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<ErrorKind>);

#[derive(Debug, thiserror::Error)]
pub(crate) enum ErrorKind {
    #[error("start the sandbox process `{}`", .program.display())]
    Start { program: PathBuf, source: io::Error },
    #[error("set up the sandbox: {step}: {cause}")]
    Setup { step: String, cause: String, errno: i32 },
    #[error("the sandbox process ended without a word")]
    Silent,
    #[error("speak to the sandbox process")]
    Channel { source: io::Error },
    #[error("open a network of its own with pasta")]
    Bridge { source: io::Error },
    #[error("{doing} `{}`", .path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("`{}` {why}", .path.display())]
    Unfit { path: PathBuf, why: &'static str },
    #[error("take in `{}`", .path.display())]
    Tree { path: PathBuf, source: kiln_rootfs::Error },
    #[error("the sandbox job cannot be written down")]
    Encode { source: serde_json::Error },
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

impl Error {
    /// Adds the operation and the path to what the system said.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| ErrorKind::Io { doing, path, source }.into()
    }
}

const MORE_IDS: &str = "set KILN_SANDBOX_IDS=one, which does without the ids of this machine, or give the user a larger \
                        range in /etc/subuid and /etc/subgid";

impl Diagnose for Error {
    fn code(&self) -> &'static str {
        match *self.0 {
            ErrorKind::Setup { .. } => "sandbox.setup",
            ErrorKind::Start { .. } | ErrorKind::Silent | ErrorKind::Channel { .. } => "sandbox.start",
            ErrorKind::Bridge { .. } => "sandbox.network",
            ErrorKind::Io { .. } => "sandbox.io",
            ErrorKind::Unfit { .. } | ErrorKind::Tree { .. } => "sandbox.unfit",
            ErrorKind::Encode { .. } => "sandbox.encode",
        }
    }

    fn class(&self) -> Class {
        match *self.0 {
            ErrorKind::Unfit { .. } | ErrorKind::Tree { .. } => Class::Content,
            ErrorKind::Encode { .. } => Class::Bug,
            _ => Class::Environment,
        }
    }

    fn help(&self) -> Option<String> {
        match &*self.0 {
            ErrorKind::Setup { step, .. } if step.contains("namespace") || step.contains("id map") => Some(
                "this machine does not let ordinary users make namespaces; as root, enable them with \
                 `sysctl -w user.max_user_namespaces=15000`, on Ubuntu also \
                 `sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`, on older Debian \
                 `sysctl -w kernel.unprivileged_userns_clone=1`; in a container, start it with \
                 `--security-opt seccomp=unconfined --security-opt apparmor=unconfined`"
                    .to_owned(),
            ),
            ErrorKind::Setup { step, .. } if step.contains("overlay") => Some(
                "kiln needs a kernel of 5.11 or newer and a cache folder that is no overlay itself; \
                 choose another with --cache-dir"
                    .to_owned(),
            ),
            ErrorKind::Bridge { .. } => Some(
                "pasta needs to open /dev/net/tun; without KILN_SANDBOX_NETWORK=pasta the machine's network is used"
                    .to_owned(),
            ),
            ErrorKind::Setup { step, .. } if step == "become the user" => Some(MORE_IDS.to_owned()),
            ErrorKind::Io { source, .. } if source.to_string().contains("is not among the") => {
                Some(MORE_IDS.to_owned())
            }
            ErrorKind::Setup { step, .. } if step.contains("proc") => Some(
                "this container hides parts of /proc; start it with `--security-opt systempaths=unconfined`"
                    .to_owned(),
            ),
            ErrorKind::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("free some space and run the command again; nothing half-written was kept".to_owned())
            }
            ErrorKind::Unfit { .. } => {
                Some("no layer can hold it: remove it in the command that makes it".to_owned())
            }
            _ => None,
        }
    }
}
