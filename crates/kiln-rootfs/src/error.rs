use kiln_finding::{Class, Diagnose};

/// Why a path, a tree or a tar stream could not be used.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<ErrorKind>);

#[derive(Debug, thiserror::Error)]
pub(crate) enum ErrorKind {
    #[error("path `{path}` {why}")]
    Path { path: String, why: &'static str },
    #[error("`{path}` cannot be placed: `{parent}` is not a directory")]
    NotADirectory { path: String, parent: String },
    #[error("the hard link `{path}` names `{target}`, which is no file of this layer or of those below")]
    Link { path: String, target: String },
    #[error("`{mark}` is marked as removed, and `{above}` above it is no folder")]
    Mark { mark: String, above: String },
    #[error("read the tar stream after {offset} bytes")]
    Read { offset: u64, source: std::io::Error },
    #[error("the tar stream is malformed at byte {offset}: {why}")]
    Malformed { offset: u64, why: &'static str },
    #[error("the tar stream goes over the limit of {limit} {what}")]
    Limit { what: &'static str, limit: u64 },
    #[error("write `{path}` to the tar stream")]
    Write { path: String, source: std::io::Error },
    #[error("`{path}` changed while it was read: {promised} bytes were promised")]
    Changed { path: String, promised: u64 },
    #[error("read the content of an entry")]
    Content { source: std::io::Error },
    #[error("finish the tar stream")]
    Finish { source: std::io::Error },
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

impl Error {
    /// What the system said while the content of an entry was read.
    pub fn from_read(source: std::io::Error) -> Self {
        ErrorKind::Content { source }.into()
    }

    pub(crate) fn path(path: &str, why: &'static str) -> Self {
        ErrorKind::Path { path: path.chars().take(200).collect(), why }.into()
    }
}

impl Diagnose for Error {
    fn code(&self) -> &'static str {
        match *self.0 {
            ErrorKind::Path { .. } | ErrorKind::NotADirectory { .. } => "rootfs.path",
            ErrorKind::Read { .. } | ErrorKind::Content { .. } => "rootfs.read",
            ErrorKind::Malformed { .. } => "rootfs.malformed",
            ErrorKind::Link { .. } | ErrorKind::Mark { .. } => "rootfs.layer",
            ErrorKind::Limit { .. } => "rootfs.limit",
            ErrorKind::Changed { .. } => "rootfs.changed",
            ErrorKind::Write { .. } | ErrorKind::Finish { .. } => "rootfs.write",
        }
    }

    fn class(&self) -> Class {
        match *self.0 {
            ErrorKind::Write { .. } | ErrorKind::Finish { .. } | ErrorKind::Changed { .. } => {
                Class::Environment
            }
            _ => Class::Content,
        }
    }
}
