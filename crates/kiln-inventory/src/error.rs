use kiln_finding::{Class, Diagnose};
use kiln_oci::Digest;

/// Why a layer could not be read to its end.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<ErrorKind>);

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ErrorKind {
    #[error("read the layer {layer}")]
    Layer { layer: Digest, source: kiln_rootfs::Error },
    #[error("decompress the layer {layer}")]
    Decompress { layer: Digest, source: std::io::Error },
    #[error("fetch the layer {layer}")]
    Open { layer: Digest, class: Class, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("read the stored facts about the layer {layer}")]
    Facts { layer: Digest, source: std::io::Error },
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

impl Diagnose for Error {
    fn code(&self) -> &'static str {
        match &*self.0 {
            ErrorKind::Layer { .. } | ErrorKind::Decompress { .. } => "inventory.layer",
            ErrorKind::Open { .. } => "inventory.fetch",
            ErrorKind::Facts { .. } => "inventory.facts",
        }
    }

    fn class(&self) -> Class {
        match &*self.0 {
            ErrorKind::Open { class, .. } => *class,
            _ => Class::Content,
        }
    }

    fn help(&self) -> Option<String> {
        match &*self.0 {
            ErrorKind::Facts { .. } => Some("delete kiln's cache folder".to_owned()),
            _ => None,
        }
    }
}
