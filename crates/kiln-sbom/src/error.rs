use kiln_finding::{Class, Diagnose};

/// Why a document could not be read.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<ErrorKind>);

#[derive(Debug, thiserror::Error)]
pub(crate) enum ErrorKind {
    #[error("read an SBOM")]
    Json { source: serde_json::Error },
    #[error("read an SBOM of more than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("read an SBOM: {why}")]
    Unknown { why: String },
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

impl Diagnose for Error {
    fn code(&self) -> &'static str {
        match *self.0 {
            ErrorKind::Json { .. } => "sbom.json",
            ErrorKind::TooLarge { .. } => "sbom.too_large",
            ErrorKind::Unknown { .. } => "sbom.unknown",
        }
    }

    fn class(&self) -> Class {
        Class::Content
    }

    fn help(&self) -> Option<String> {
        match *self.0 {
            ErrorKind::TooLarge { .. } => None,
            _ => Some(
                "kiln reads SPDX 2 and 3 and CycloneDX as JSON, bare or inside an in-toto statement"
                    .to_owned(),
            ),
        }
    }
}
