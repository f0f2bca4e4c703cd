use kiln_finding::{Class, Diagnose};

/// Why a key could not be made, read or used.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<ErrorKind>);

#[derive(Debug, thiserror::Error)]
pub(crate) enum ErrorKind {
    #[error("the private key is no file of cosign's: {0}")]
    Format(&'static str),
    #[error("the private key is no file of cosign's")]
    Json { source: serde_json::Error },
    #[error("the password does not open the private key")]
    Password,
    #[error("the private key is none of ECDSA, Ed25519 or RSA with 2048 to 4096 bits, in PKCS #8")]
    Kind,
    #[error("{0}: the cryptography library failed")]
    Library(&'static str),
    #[error("the key pair does not fit together")]
    Public { source: kiln_trust::Error },
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

impl Diagnose for Error {
    fn code(&self) -> &'static str {
        match *self.0 {
            ErrorKind::Format(_) | ErrorKind::Json { .. } => "sign.key_format",
            ErrorKind::Password => "sign.password",
            ErrorKind::Kind => "sign.key_kind",
            ErrorKind::Library(_) | ErrorKind::Public { .. } => "sign.library",
        }
    }

    fn class(&self) -> Class {
        match *self.0 {
            ErrorKind::Library(_) | ErrorKind::Public { .. } => Class::Bug,
            _ => Class::Config,
        }
    }

    fn help(&self) -> Option<String> {
        match *self.0 {
            ErrorKind::Password => {
                Some("set KILN_PASSWORD (or COSIGN_PASSWORD) to the key's password".to_owned())
            }
            ErrorKind::Kind | ErrorKind::Format(_) => Some("make a key with `kiln keygen`".to_owned()),
            _ => None,
        }
    }
}
