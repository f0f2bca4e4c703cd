use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use kiln_finding::{Class, Diagnose};

/// Why bytes are no statement, envelope or bundle.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<ErrorKind>);

#[derive(Debug, thiserror::Error)]
pub(crate) enum ErrorKind {
    #[error("the {what} is no valid JSON of its kind")]
    Json { what: &'static str, source: serde_json::Error },
    #[error("the {what} is no base64")]
    Base64 { what: &'static str, source: base64::DecodeError },
    #[error("the {what} {why}")]
    Unfit { what: &'static str, why: String },
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

impl Error {
    pub(crate) fn unfit(what: &'static str, why: impl Into<String>) -> Self {
        ErrorKind::Unfit { what, why: why.into() }.into()
    }
}

/// What stands in base64 in a document.
pub(crate) fn decode(what: &'static str, text: &str) -> Result<Vec<u8>, Error> {
    BASE64.decode(text).map_err(|source| ErrorKind::Base64 { what, source }.into())
}

impl Diagnose for Error {
    fn code(&self) -> &'static str {
        "attest.malformed"
    }

    fn class(&self) -> Class {
        Class::Content
    }
}
