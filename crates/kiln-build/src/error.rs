use kiln_finding::{Cause, Class, Diagnose};

/// Why an image could not be built.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<ErrorKind>);

#[derive(Debug, thiserror::Error)]
pub(crate) enum ErrorKind {
    #[error("{what}")]
    Port { what: &'static str, source: Cause },
    #[error("the app starts with `{entry}`, which is not there after the build")]
    EntryMissing { entry: String, near: Vec<String> },
    #[error("read `{path}`")]
    Read { path: String, source: std::io::Error },
    #[error("put the layers together")]
    Tree { source: kiln_rootfs::Error },
    #[error("the build cache holds a record that makes no sense")]
    Record { source: serde_json::Error },
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

impl Error {
    /// An error of a port, which keeps what the port said of itself.
    pub(crate) fn port<E: Diagnose + Send + Sync + 'static>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |source| ErrorKind::Port { what, source: Cause::new(source) }.into()
    }
}

impl Diagnose for Error {
    fn code(&self) -> &'static str {
        match &*self.0 {
            ErrorKind::Port { source, .. } => source.code(),
            ErrorKind::EntryMissing { .. } => "build.entry_missing",
            ErrorKind::Read { .. } => "build.read",
            ErrorKind::Tree { .. } => "build.tree",
            ErrorKind::Record { .. } => "build.record",
        }
    }

    fn class(&self) -> Class {
        match &*self.0 {
            ErrorKind::Port { source, .. } => source.class(),
            ErrorKind::EntryMissing { .. } => Class::Config,
            ErrorKind::Read { .. } => Class::Environment,
            ErrorKind::Tree { .. } | ErrorKind::Record { .. } => Class::Content,
        }
    }

    fn help(&self) -> Option<String> {
        match &*self.0 {
            ErrorKind::Port { source, .. } => source.help(),
            ErrorKind::EntryMissing { near, .. } if near.is_empty() => {
                Some("does the build script write it? is it left out by .dockerignore?".to_owned())
            }
            ErrorKind::EntryMissing { near, .. } => Some(format!(
                "the build made {}; correct the start script, or set `entry` under [image] in kiln.toml",
                near.join(", ")
            )),
            ErrorKind::Record { .. } => Some("delete the cache folder; it is made again".to_owned()),
            _ => None,
        }
    }
}
