use std::io;
use std::path::PathBuf;

use kiln_fetch::http::{NetworkError, Trouble, passes};
use kiln_finding::{Class, Diagnose};
use kiln_oci::Digest;

/// Why a registry could not be used.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<ErrorKind>);

impl From<kiln_fetch::Error> for Error {
    fn from(source: kiln_fetch::Error) -> Self {
        ErrorKind::Fetch { source }.into()
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ErrorKind {
    #[error("find the registry of `{name}`: the name has no host")]
    NoHost { name: String },
    #[error("ask a registry")]
    Fetch {
        #[source]
        source: kiln_fetch::Error,
    },
    #[error("{what} at {url}")]
    Network {
        what: String,
        url: String,
        #[source]
        source: Box<NetworkError>,
    },
    #[error("{what} at {url}: the connection broke after {received} bytes")]
    Broken {
        what: String,
        url: String,
        received: u64,
        #[source]
        source: io::Error,
    },
    #[error("{what} at {url}: the server answered {status}{}", shown(.said))]
    Status { what: String, url: String, status: u16, said: String, codes: Vec<String> },
    #[error("{what} at {url}: the server wants to be asked again in {} s, which is too long", .seconds)]
    Busy { what: String, url: String, seconds: u64 },
    #[error("{what} at {url}: there was no time left")]
    Late { what: String, url: String },
    #[error("{what} at {url}: {host} denies it ({status}{})", shown(.said))]
    Denied { what: String, url: String, host: String, status: u16, said: String, known: bool },
    #[error("{what} at {url}, where {host} points to: it is denied there ({status})")]
    DeniedElsewhere { what: String, url: String, host: String, status: u16 },
    #[error("{what} at {url}: the token ran out while the content was on its way")]
    Expired { what: String, url: String },
    #[error("log in to {host}: {why}")]
    Login { host: String, why: &'static str },
    #[error("log in to {host}: {url} sends no token")]
    Token {
        host: String,
        url: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("{what} at {url}: too many redirects, or one without an address")]
    Redirects { what: String, url: String },
    #[error("{what} at {url}: the answer lacks {header}, or it makes no sense")]
    Header { what: String, url: String, header: &'static str },
    #[error("read the {what} at {url}: it has more than {cap} bytes")]
    TooLarge { what: &'static str, url: String, cap: u64 },
    #[error("read the {what} at {url}: there are more than {cap}")]
    TooMany { what: &'static str, url: String, cap: usize },
    #[error("read {url}: {size} bytes with digest {got} stand in the place of {promised}")]
    Mismatch { url: String, promised: Digest, got: Digest, size: u64 },
    #[error("read {url}: what stands there does not have the digest that it is asked for by")]
    OtherDigest { url: String },
    #[error("read {url}: its type is {found:?}, and its content says {said:?}")]
    MediaType { url: String, found: String, said: String },
    #[error("read the {what} at {url}: it is no valid document")]
    Document {
        what: &'static str,
        url: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("read what is to be sent as {digest}")]
    Input {
        digest: Digest,
        #[source]
        source: io::Error,
    },
    #[error("keep the list of referrers of {subject}: others change it all the time")]
    Contended { subject: Digest },
    #[error("keep the list of referrers of {subject}: the tag it would have names something else")]
    Occupied { subject: Digest },
    #[error("read the credentials in {}", path.display())]
    Keyring {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("run the credential helper {program}{}", shown(.why))]
    Helper {
        program: String,
        why: String,
        #[source]
        source: Option<io::Error>,
    },
}

fn shown(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(": {said}") }
}

impl Error {
    pub(crate) fn kind(&self) -> &ErrorKind {
        &self.0
    }

    /// Whether the same request may work a moment later.
    pub(crate) fn is_transient(&self) -> bool {
        match self.kind() {
            ErrorKind::Network { source, .. } => Trouble::of(source) == Trouble::Passing,
            ErrorKind::Broken { .. } | ErrorKind::Expired { .. } => true,
            ErrorKind::Status { status, .. } => passes(*status),
            _ => false,
        }
    }
}

impl Diagnose for Error {
    fn code(&self) -> &'static str {
        match self.kind() {
            ErrorKind::NoHost { .. } => "registry.no_host",
            ErrorKind::Fetch { source } => source.code(),
            ErrorKind::Network { .. } | ErrorKind::Broken { .. } | ErrorKind::Late { .. } => {
                "registry.network"
            }
            ErrorKind::Status { .. } | ErrorKind::Busy { .. } => "registry.status",
            ErrorKind::Denied { .. } | ErrorKind::DeniedElsewhere { .. } => "registry.denied",
            ErrorKind::Expired { .. } | ErrorKind::Login { .. } | ErrorKind::Token { .. } => "registry.login",
            ErrorKind::Redirects { .. } => "registry.redirect",
            ErrorKind::Header { .. } => "registry.protocol",
            ErrorKind::TooLarge { .. } | ErrorKind::TooMany { .. } => "registry.too_large",
            ErrorKind::Mismatch { .. } | ErrorKind::OtherDigest { .. } => "registry.mismatch",
            ErrorKind::MediaType { .. } | ErrorKind::Document { .. } => "registry.document",
            ErrorKind::Input { .. } => "registry.input",
            ErrorKind::Contended { .. } | ErrorKind::Occupied { .. } => "registry.referrers",
            ErrorKind::Keyring { .. } => "registry.credentials",
            ErrorKind::Helper { .. } => "registry.credential_helper",
        }
    }

    fn class(&self) -> Class {
        match self.kind() {
            ErrorKind::NoHost { .. } => Class::Usage,
            ErrorKind::Fetch { source } => source.class(),
            ErrorKind::Keyring { .. } => Class::Config,
            ErrorKind::Helper { .. } => Class::Environment,
            ErrorKind::TooLarge { .. }
            | ErrorKind::TooMany { .. }
            | ErrorKind::Mismatch { .. }
            | ErrorKind::OtherDigest { .. }
            | ErrorKind::MediaType { .. }
            | ErrorKind::Document { .. }
            | ErrorKind::Input { .. } => Class::Content,
            _ => Class::Remote { transient: self.is_transient() },
        }
    }

    fn help(&self) -> Option<String> {
        let text = match self.kind() {
            ErrorKind::NoHost { .. } => "write it with its host: registry.example/team/app:1".to_owned(),
            ErrorKind::Fetch { source } => return source.help(),
            ErrorKind::Network { source, .. } if Trouble::of(source) == Trouble::Certificate => {
                "name the file with its certificate authority in kiln.toml: [registry] ca-files = [\"…\"]"
                    .to_owned()
            }
            ErrorKind::Network { .. } | ErrorKind::Broken { .. } | ErrorKind::Expired { .. } => {
                "check the network and the proxy, then run the same command: what has arrived stays there"
                    .to_owned()
            }
            ErrorKind::Denied { host, known: true, .. } => {
                format!("the credential for {host} does not allow this, or the repository does not exist")
            }
            ErrorKind::Denied { host, .. } => format!(
                "log in (`docker login {host}` or `podman login {host}`); no credential for {host} was found"
            ),
            ErrorKind::DeniedElsewhere { host, .. } => {
                format!("no login goes there: {host} must point to what may be read; tell whoever runs it")
            }
            ErrorKind::Status { codes, .. } if codes.iter().any(|code| code == "MANIFEST_BLOB_UNKNOWN") => {
                "the registry had said that it holds every blob, and does not; push again".to_owned()
            }
            ErrorKind::Status { status: 404, .. } => {
                "is the name right, and does the image exist?".to_owned()
            }
            ErrorKind::Status { status: 429, .. } | ErrorKind::Busy { .. } => {
                "the registry limits requests: log in, wait, or name a mirror in kiln.toml".to_owned()
            }
            ErrorKind::Mismatch { .. } | ErrorKind::OtherDigest { .. } => {
                "the registry, or something on the way, changed the content; do not use it".to_owned()
            }
            ErrorKind::Keyring { path, .. } => {
                format!("repair {}, or move it away and log in again", path.display())
            }
            ErrorKind::Helper { source: None, program, .. } => {
                format!(
                    "repair what {program} says, or take it out of credHelpers and credsStore in config.json"
                )
            }
            ErrorKind::Helper { .. } => {
                "install it, or take it out of credHelpers and credsStore in config.json".to_owned()
            }
            ErrorKind::Occupied { subject } => format!("delete the tag sha256-{}", subject.hex()),
            _ => return None,
        };
        Some(text)
    }
}
