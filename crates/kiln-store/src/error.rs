use std::io;
use std::path::{Path, PathBuf};

use kiln_finding::{Class, Diagnose};
use kiln_oci::Digest;

/// Why something could not be kept or found.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<ErrorKind>);

#[derive(Debug, thiserror::Error)]
pub(crate) enum ErrorKind {
    #[error("{doing} `{}`", .path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("`{}` is no OCI layout", .0.display())]
    NoLayout(PathBuf),
    #[error("`{}` is malformed", .path.display())]
    Malformed { path: PathBuf, source: serde_json::Error },
    #[error("the blob {0} is not in the store")]
    Missing(Digest),
    #[error("the content is {got} bytes with digest {digest}, not the {promised_size} bytes of {promised}")]
    Mismatch { promised: Digest, promised_size: u64, digest: Digest, got: u64 },
    #[error("read the content of {digest}")]
    Content { digest: Digest, source: io::Error },
    #[error("`{}` {why}", .path.display())]
    UnfitArchive { path: PathBuf, why: String },
    #[error("read the archive `{}`", .path.display())]
    ReadArchive { path: PathBuf, source: kiln_rootfs::Error },
    #[error("the archive ended with what went wrong before")]
    BrokenArchive,
    #[error("write the archive")]
    Archive { source: kiln_rootfs::Error },
    #[error("DOCKER_HOST is `{0}`, and only unix:// sockets can be spoken to")]
    DaemonAddress(String),
    #[error("the Docker daemon refused the image: {0}")]
    DaemonRefused(String),
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

impl Error {
    /// Whether a document is there and cannot be read.
    pub fn is_malformed(&self) -> bool {
        matches!(*self.0, ErrorKind::Malformed { .. })
    }

    /// Whether a blob is not here.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(*self.0, ErrorKind::Missing(_))
    }

    /// Adds the operation and the path to what the system said.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| ErrorKind::Io { doing, path, source }.into()
    }
}

impl Diagnose for Error {
    fn code(&self) -> &'static str {
        match *self.0 {
            ErrorKind::Io { .. } => "store.io",
            ErrorKind::NoLayout(_) => "store.no_layout",
            ErrorKind::Malformed { .. } => "store.malformed",
            ErrorKind::Missing(_) => "store.missing",
            ErrorKind::Mismatch { .. } => "store.mismatch",
            ErrorKind::Content { .. } => "store.content",
            ErrorKind::Archive { .. }
            | ErrorKind::UnfitArchive { .. }
            | ErrorKind::ReadArchive { .. }
            | ErrorKind::BrokenArchive => "store.archive",
            ErrorKind::DaemonAddress(_) | ErrorKind::DaemonRefused(_) => "store.daemon",
        }
    }

    fn class(&self) -> Class {
        match &*self.0 {
            ErrorKind::Io { .. } => Class::Environment,
            ErrorKind::NoLayout(_) | ErrorKind::DaemonAddress(_) => Class::Usage,
            ErrorKind::DaemonRefused(_) => Class::Remote { transient: false },
            ErrorKind::Archive { source } | ErrorKind::ReadArchive { source, .. } => source.class(),
            _ => Class::Content,
        }
    }

    fn help(&self) -> Option<String> {
        match &*self.0 {
            ErrorKind::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("free some space and run the command again; nothing half-written was kept".to_owned())
            }
            ErrorKind::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("choose folders you may write to with --data-dir and --cache-dir".to_owned())
            }
            ErrorKind::Io { source, .. } if source.kind() == io::ErrorKind::Unsupported => {
                Some("keep kiln's folders on a disk of this machine: --data-dir, --cache-dir".to_owned())
            }
            ErrorKind::Io { source, .. } if source.kind() == io::ErrorKind::Unsupported => {
                Some("keep kiln's folders on a disk of this machine: --data-dir, --cache-dir".to_owned())
            }
            ErrorKind::Missing(_) => Some("build the image again, or pull it again".to_owned()),
            ErrorKind::DaemonAddress(_) => {
                Some("write an archive with `-o docker-archive:FILE` and load that".to_owned())
            }
            _ => None,
        }
    }
}
