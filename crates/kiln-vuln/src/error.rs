use kiln_finding::{Cause, Class, Diagnose};

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
    #[error("read the advisory database: it is of another version of kiln's format")]
    Version,
    #[error("read the advisory database")]
    Read {
        #[source]
        source: Cause,
    },
    #[error("read record {line} of the advisory feed `{feed}`")]
    Record {
        feed: String,
        line: usize,
        #[source]
        source: serde_json::Error,
    },
    #[error("read the advisory feed `{feed}`")]
    Document {
        feed: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("read line {line} of the advisory feed `{feed}`")]
    Line { feed: String, line: usize },
    #[error("make an advisory database: no feed names a package")]
    NoFeeds,
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
        match &*self.0 {
            ErrorKind::Malformed { .. } | ErrorKind::Header { .. } | ErrorKind::Version => "vuln.database",
            ErrorKind::Read { source } => source.code(),
            ErrorKind::Record { .. }
            | ErrorKind::Document { .. }
            | ErrorKind::Line { .. }
            | ErrorKind::NoFeeds
            | ErrorKind::Feed { .. } => "vuln.feed",
        }
    }

    fn class(&self) -> Class {
        match &*self.0 {
            ErrorKind::Read { source } => source.class(),
            _ => Class::Content,
        }
    }

    fn help(&self) -> Option<String> {
        match &*self.0 {
            ErrorKind::Malformed { .. } | ErrorKind::Header { .. } | ErrorKind::Version => Some(
                "fetch the database again (kiln db update), or leave it out to use the one inside kiln"
                    .to_owned(),
            ),
            ErrorKind::Read { source } => source.help(),
            _ => None,
        }
    }
}
