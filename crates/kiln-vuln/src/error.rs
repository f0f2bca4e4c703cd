use kiln_finding::{Class, Diagnose};

/// Why a database could not be made or read.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<ErrorKind>);

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ErrorKind {
    #[error("read the advisory database: {why}")]
    Malformed { why: &'static str },
    #[error("read the header of the advisory database")]
    Header {
        #[source]
        source: serde_json::Error,
    },
    #[error("read record {line} of the advisory feed `{feed}`")]
    Record {
        feed: String,
        line: usize,
        #[source]
        source: serde_json::Error,
    },
    #[error("compile the advisory feed `{feed}`: {why}")]
    Feed { feed: String, why: &'static str },
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

impl Error {
    pub(crate) fn malformed(why: &'static str) -> Self {
        ErrorKind::Malformed { why }.into()
    }
}

impl Diagnose for Error {
    fn code(&self) -> &'static str {
        match *self.0 {
            ErrorKind::Malformed { .. } | ErrorKind::Header { .. } => "vuln.database",
            ErrorKind::Record { .. } | ErrorKind::Feed { .. } => "vuln.feed",
        }
    }

    fn class(&self) -> Class {
        Class::Content
    }

    fn help(&self) -> Option<String> {
        match *self.0 {
            ErrorKind::Malformed { .. } | ErrorKind::Header { .. } => {
                Some("fetch the database again, or leave it out to use the one inside kiln".to_owned())
            }
            ErrorKind::Record { .. } | ErrorKind::Feed { .. } => None,
        }
    }
}
