use kiln_finding::{Class, Diagnose};
use kiln_text::Checksum;

use crate::source::FetchError;

/// Why a base could not be resolved or composed.
#[derive(Debug)]
pub struct Error(Box<ErrorKind>);

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            ErrorKind::Fetch { failure, .. } => Some(failure.cause()),
            other => std::error::Error::source(other),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ErrorKind {
    #[error("get {what}")]
    Fetch { what: String, failure: FetchError },
    #[error("trust the release file of {suite}: {why}")]
    Signature { suite: String, why: String },
    #[error("use the release file of {suite}: it was valid until {until}, and now it is {now}")]
    Expired { suite: String, until: String, now: String },
    #[error("use the release file of {suite}: it is dated {date}, after {now}, which is now")]
    FromTheFuture { suite: String, date: String, now: String },
    #[error("use the release file of {suite}: {why}")]
    Release { suite: String, why: String },
    #[error("use the index {path}: {why}")]
    Index { path: String, why: String },
    #[error("trust {name}: its checksum is {actual}, not {expected}")]
    Mismatch { name: String, expected: Checksum, actual: Checksum },
    #[error("find the Debian package {name}, which {wanted_by} needs")]
    NoPackage { name: String, wanted_by: String },
    #[error("read what the npm registry says of {name}: {why}")]
    Packument { name: String, why: String },
    #[error("find a version of {name} that is {wanted}")]
    NoVersion { name: String, wanted: String },
    #[error("unpack {name}: {why}")]
    Package { name: String, why: String },
    #[error("unpack {name}")]
    Tree {
        name: String,
        #[source]
        source: kiln_rootfs::Error,
    },
    #[error("unpack {name}")]
    Unpack {
        name: String,
        #[source]
        source: std::io::Error,
    },
    #[error("compose the base: {why}")]
    Compose { why: String },
    #[error("read the lock file: {why}")]
    Lock { why: String },
    #[error("use the lock file: it pins nothing for {what}")]
    NotLocked { what: String },
    #[error("compose a base of Node {line}: kiln knows {known}")]
    NodeLine { line: u32, known: String },
}

impl Error {
    pub(crate) fn fetch(what: impl std::fmt::Display) -> impl FnOnce(FetchError) -> Self {
        let what = what.to_string();
        move |failure| ErrorKind::Fetch { what, failure }.into()
    }

    pub(crate) fn tree(name: &str) -> impl Fn(kiln_rootfs::Error) -> Self {
        let name = name.to_owned();
        move |source| ErrorKind::Tree { name: name.clone(), source }.into()
    }

    pub(crate) fn unpack(name: &str) -> impl Fn(std::io::Error) -> Self {
        let name = name.to_owned();
        move |source| ErrorKind::Unpack { name: name.clone(), source }.into()
    }
}

impl Diagnose for Error {
    fn code(&self) -> &'static str {
        match &*self.0 {
            ErrorKind::Fetch { failure, .. } => failure.code(),
            ErrorKind::Signature { .. } => "base.release_signature",
            ErrorKind::Expired { .. } => "base.release_expired",
            ErrorKind::FromTheFuture { .. } => "base.release_from_the_future",
            ErrorKind::Release { .. } => "base.release",
            ErrorKind::Index { .. } => "base.index",
            ErrorKind::Mismatch { .. } => "base.integrity_mismatch",
            ErrorKind::NoPackage { .. } => "base.no_package",
            ErrorKind::Packument { .. } => "base.packument",
            ErrorKind::NoVersion { .. } => "base.no_version",
            ErrorKind::Package { .. } | ErrorKind::Tree { .. } | ErrorKind::Unpack { .. } => "base.package",
            ErrorKind::Compose { .. } => "base.compose",
            ErrorKind::Lock { .. } => "base.lock",
            ErrorKind::NotLocked { .. } => "base.not_locked",
            ErrorKind::NodeLine { .. } => "base.node_line",
        }
    }

    fn class(&self) -> Class {
        match &*self.0 {
            ErrorKind::Fetch { failure, .. } => failure.class(),
            ErrorKind::NodeLine { .. } => Class::Usage,
            ErrorKind::Lock { .. } | ErrorKind::NotLocked { .. } | ErrorKind::NoVersion { .. } => {
                Class::Config
            }
            _ => Class::Content,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match &*self.0 {
            ErrorKind::Fetch { failure, .. } => return failure.help(),
            ErrorKind::Signature { .. } => {
                "check that the configured archive is Debian's own or a mirror of it, unchanged".to_owned()
            }
            ErrorKind::Expired { .. } => {
                "the mirror is stale, someone holds updates back, or the clock is wrong: use another mirror"
                    .to_owned()
            }
            ErrorKind::FromTheFuture { .. } => "set the clock of this machine".to_owned(),
            ErrorKind::Mismatch { .. } => {
                "what the server sends is not what was signed or locked; use another mirror".to_owned()
            }
            ErrorKind::Lock { .. } | ErrorKind::NotLocked { .. } => {
                "write it anew with `kiln base lock`".to_owned()
            }
            _ => return None,
        })
    }
}
