use std::io;
use std::path::PathBuf;
use std::time::Duration;

use kiln_finding::{Class, Diagnose};

use crate::network::NetworkError;
use crate::retry::{Retry, passes};
use kiln_text::Checksum;

/// Why bytes could not be had.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<ErrorKind>);

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ErrorKind {
    #[error("download {url}")]
    Network {
        url: String,
        #[source]
        source: Box<NetworkError>,
    },
    #[error("download {url}: the connection broke after {received} bytes")]
    Broken {
        url: String,
        received: u64,
        #[source]
        source: io::Error,
    },
    #[error("download {url}: the server answered {status}")]
    Status { url: String, status: u16, after: Option<Duration> },
    #[error("download {url}: more than {cap} bytes arrived")]
    TooLarge { url: String, cap: u64 },
    #[error("download {url}: its checksum is {actual}, not {expected}")]
    Mismatch { url: String, expected: Checksum, actual: Checksum },
    #[error("download {url}: too many redirects, or one without an address")]
    Redirects { url: String },
    #[error("follow a redirect of {url} away from https")]
    Downgrade { url: String },
    #[error("follow a redirect of {url} to `{to}`, which is no http or https address")]
    Pointed { url: String, to: String },
    #[error("read `{url}` as an http or https address")]
    BadUrl { url: String },
    #[error("go on offline: {} not on this machine:\n    {}", count(.missing.len()), .missing.join("\n    "))]
    Offline { missing: Vec<String> },
    #[error("download {name}: no place to download it from is known")]
    Nowhere { name: String },
    #[error("{action} {}", path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("set up TLS for downloads")]
    Tls(#[source] Box<NetworkError>),
    #[error("ask {url}")]
    Ask {
        url: String,
        #[source]
        source: Box<NetworkError>,
    },
    #[error("read the answer of {url}")]
    Cut {
        url: String,
        #[source]
        source: io::Error,
    },
    #[error("read the answer of {url}: it has more than {cap} bytes")]
    Long { url: String, cap: u64 },
    #[error("ask {url}: it points elsewhere, and services are not followed")]
    Moved { url: String },
    #[error(
        "ask {url}: it is on another machine, and everybody on the way could read and change what is said"
    )]
    Plain { url: String },
    #[error("find where this machine downloads {what} from: nothing is configured")]
    NotConfigured { what: String, help: String },
}

fn count(files: usize) -> String {
    if files == 1 { "this is".to_owned() } else { format!("these {files} are") }
}

impl Error {
    pub(crate) fn kind(&self) -> &ErrorKind {
        &self.0
    }

    /// Whether the server could not send the part that was asked for.
    pub(crate) fn is_about_range(&self) -> bool {
        matches!(self.kind(), ErrorKind::Status { status: 206 | 416, .. })
    }

    /// Whether the same request may work a moment later.
    pub(crate) fn is_transient(&self, retry: &Retry) -> bool {
        match self.kind() {
            ErrorKind::Network { source, .. } | ErrorKind::Ask { source, .. } => retry.may_pass(source),
            ErrorKind::Broken { .. } | ErrorKind::Cut { .. } => true,
            ErrorKind::Status { status, after, .. } => passes(*status) && retry.allows(*after),
            _ => false,
        }
    }

    /// How long the server asked to be left alone.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self.kind() {
            ErrorKind::Status { after, .. } => *after,
            _ => None,
        }
    }
}

impl Diagnose for Error {
    fn code(&self) -> &'static str {
        match self.kind() {
            ErrorKind::Network { .. }
            | ErrorKind::Broken { .. }
            | ErrorKind::Ask { .. }
            | ErrorKind::Cut { .. } => "fetch.network",
            ErrorKind::Status { .. } => "fetch.status",
            ErrorKind::TooLarge { .. } | ErrorKind::Long { .. } => "fetch.too_large",
            ErrorKind::Mismatch { .. } => "fetch.checksum_mismatch",
            ErrorKind::Redirects { .. }
            | ErrorKind::Downgrade { .. }
            | ErrorKind::Pointed { .. }
            | ErrorKind::Moved { .. } => "fetch.redirect",
            ErrorKind::BadUrl { .. } => "fetch.bad_url",
            ErrorKind::Plain { .. } => "fetch.plain",
            ErrorKind::Offline { .. } => "fetch.offline",
            ErrorKind::File { .. } => "fetch.file",
            ErrorKind::Tls(_) => "fetch.tls",
            ErrorKind::NotConfigured { .. } | ErrorKind::Nowhere { .. } => "fetch.not_configured",
        }
    }

    fn class(&self) -> Class {
        match self.kind() {
            ErrorKind::Network { .. }
            | ErrorKind::Broken { .. }
            | ErrorKind::Status { .. }
            | ErrorKind::Ask { .. }
            | ErrorKind::Cut { .. }
            | ErrorKind::Moved { .. }
            | ErrorKind::Redirects { .. }
            | ErrorKind::Pointed { .. }
            | ErrorKind::Downgrade { .. } => {
                Class::Remote { transient: self.is_transient(&Retry::default()) }
            }
            ErrorKind::TooLarge { .. } | ErrorKind::Long { .. } | ErrorKind::Mismatch { .. } => {
                Class::Content
            }
            ErrorKind::BadUrl { .. }
            | ErrorKind::Plain { .. }
            | ErrorKind::NotConfigured { .. }
            | ErrorKind::Nowhere { .. } => Class::Config,
            ErrorKind::Offline { .. } | ErrorKind::File { .. } | ErrorKind::Tls(_) => Class::Environment,
        }
    }

    fn help(&self) -> Option<String> {
        match self.kind() {
            ErrorKind::Network { .. } | ErrorKind::Broken { .. } => Some(
                "check the network and the proxy, then run the same command: what has arrived is kept".into(),
            ),
            ErrorKind::Ask { .. } | ErrorKind::Cut { .. } => Some("check the network and the proxy".into()),
            ErrorKind::Plain { .. } => Some("use https, or a service of this machine".into()),
            ErrorKind::Status { status: 401 | 403, .. } => {
                Some("the server wants a credential: log in with the client this address belongs to".into())
            }
            ErrorKind::Status { status: 404 | 410, .. } => Some(
                "archives drop replaced versions: lock again, or name an archive of snapshots in kiln.toml"
                    .into(),
            ),
            ErrorKind::Mismatch { .. } => {
                Some("what the server sends is not what was signed or locked; use another mirror".into())
            }
            ErrorKind::Offline { .. } => Some("run the command once without --offline".into()),
            ErrorKind::NotConfigured { help, .. } => Some(help.clone()),
            _ => None,
        }
    }
}
