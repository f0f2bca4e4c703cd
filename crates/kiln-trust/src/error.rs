use kiln_finding::{Class, Diagnose};
use kiln_oci::Digest;

/// Why a signature is not accepted, or a key not read.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<ErrorKind>);

#[derive(Debug, thiserror::Error)]
pub(crate) enum ErrorKind {
    #[error("the public key is no PEM of an ECDSA P-256 key: {0}")]
    Key(&'static str),
    #[error("read the bundle")]
    Bundle { source: kiln_attest::Error },
    #[error("read the statement")]
    Statement { source: kiln_attest::Error },
    #[error("the signature is not by this key")]
    Signature,
    #[error("the statement is not about {0}")]
    Subject(Digest),
    #[error("the statement is a {found}, not a {wanted}")]
    Predicate { found: String, wanted: String },
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

impl Diagnose for Error {
    fn code(&self) -> &'static str {
        match *self.0 {
            ErrorKind::Key(_) => "trust.key",
            ErrorKind::Bundle { .. } | ErrorKind::Statement { .. } => "trust.malformed",
            ErrorKind::Signature => "trust.signature",
            ErrorKind::Subject(_) => "trust.subject",
            ErrorKind::Predicate { .. } => "trust.predicate",
        }
    }

    fn class(&self) -> Class {
        match *self.0 {
            ErrorKind::Key(_) => Class::Config,
            _ => Class::Content,
        }
    }

    fn help(&self) -> Option<String> {
        match *self.0 {
            ErrorKind::Key(_) => Some("give the .pub file that `kiln keygen` or `cosign` wrote".to_owned()),
            _ => None,
        }
    }
}
