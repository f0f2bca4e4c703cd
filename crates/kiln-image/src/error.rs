use kiln_finding::{Cause, Class, Diagnose};
use kiln_oci::Digest;

/// Why an image could not be read, packed or copied.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<ErrorKind>);

#[derive(Debug, thiserror::Error)]
pub(crate) enum ErrorKind {
    #[error("{what}")]
    Port { what: String, source: Cause },
    #[error("read the {what} {digest}")]
    Read { what: &'static str, digest: Digest, source: std::io::Error },
    #[error("the {what} {digest} is no valid document")]
    Document { what: &'static str, digest: Digest, source: serde_json::Error },
    #[error("the {what} {digest} is larger than {limit} bytes")]
    TooLarge { what: &'static str, digest: Digest, limit: u64 },
    #[error("the {what} {digest} {why}")]
    Unfit { what: &'static str, digest: Digest, why: String },
    #[error("pack a layer")]
    Pack { source: kiln_rootfs::Error },
    #[error("write a layer")]
    Write { source: std::io::Error },
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

impl Error {
    /// An error of a port, which keeps what the port said of itself.
    pub(crate) fn port<E: Diagnose + Send + Sync + 'static>(what: impl Into<String>, source: E) -> Self {
        ErrorKind::Port { what: what.into(), source: Cause::new(source) }.into()
    }
}

impl Diagnose for Error {
    fn code(&self) -> &'static str {
        match &*self.0 {
            ErrorKind::Port { source, .. } => source.code(),
            ErrorKind::Read { .. } => "image.read",
            ErrorKind::Document { .. } => "image.document",
            ErrorKind::TooLarge { .. } => "image.too_large",
            ErrorKind::Unfit { .. } => "image.unfit",
            ErrorKind::Pack { .. } => "image.pack",
            ErrorKind::Write { .. } => "image.write",
        }
    }

    fn class(&self) -> Class {
        match &*self.0 {
            ErrorKind::Port { source, .. } => source.class(),
            ErrorKind::Pack { source } => source.class(),
            ErrorKind::Write { .. } => Class::Environment,
            _ => Class::Content,
        }
    }

    fn help(&self) -> Option<String> {
        match &*self.0 {
            ErrorKind::Port { source, .. } => source.help(),
            ErrorKind::Write { .. } => Some("is there space left on the disk?".to_owned()),
            _ => None,
        }
    }
}
