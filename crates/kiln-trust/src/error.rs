use kiln_finding::{Class, Diagnose};
use kiln_oci::Digest;

/// Why a signature is not accepted, or what it is checked with not read.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<ErrorKind>);

#[derive(Debug, thiserror::Error)]
pub(crate) enum ErrorKind {
    #[error("the public key is no PEM of a key that can be used: {0}")]
    Key(&'static str),
    #[error("the trusted root cannot be used: {0}")]
    Root(String),
    #[error("the published roots of trust cannot be used: {0}")]
    Published(String),
    #[error("bring the published roots of trust up to date")]
    Refresh { source: Box<sigstore_tuf::Error> },
    #[error("{text:?} cannot be asked for: {why}")]
    Matcher { text: String, why: String },
    #[error("read the bundle")]
    Bundle { source: kiln_attest::Error },
    #[error("read the statement")]
    Statement { source: kiln_attest::Error },
    #[error("it cannot be read: {0}")]
    Malformed(String),
    #[error("the signature is not by this key")]
    Signature,
    #[error("nobody signed this {0}")]
    Unsigned(String),
    #[error("it was made with a key, not with a certificate")]
    NoCertificate,
    #[error("it was made with a certificate, not with a key")]
    NoKey,
    #[error("no log is witness of it: {0}")]
    Log(String),
    #[error("the certificate cannot be read: {0}")]
    Unreadable(String),
    #[error("the file is not what was signed")]
    File,
    #[error("it was made with a certificate in the form before bundles, and those are not verified")]
    LegacyCertificate,
    #[error("the certificate is not accepted: {0}")]
    Certificate(String),
    #[error("{found} of the logs that are trusted have the signature, and {wanted} must")]
    Logs { found: usize, wanted: usize },
    #[error("the {what} of the certificate is {found:?}, not {wanted}")]
    Identity { what: &'static str, wanted: String, found: String },
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
            ErrorKind::Root(_) => "trust.root",
            ErrorKind::Published(_) => "trust.published",
            ErrorKind::Refresh { .. } => "trust.refresh",
            ErrorKind::Matcher { .. } => "trust.identity_rule",
            ErrorKind::Bundle { .. }
            | ErrorKind::Statement { .. }
            | ErrorKind::Malformed(_)
            | ErrorKind::Unreadable(_) => "trust.malformed",
            ErrorKind::Signature => "trust.signature",
            ErrorKind::Unsigned(_) => "trust.unsigned",
            ErrorKind::NoCertificate => "trust.no_certificate",
            ErrorKind::NoKey => "trust.no_key",
            ErrorKind::Log(_) => "trust.log",
            ErrorKind::File => "trust.file",
            ErrorKind::LegacyCertificate | ErrorKind::Certificate(_) => "trust.certificate",
            ErrorKind::Logs { .. } => "trust.logs",
            ErrorKind::Identity { .. } => "trust.identity",
            ErrorKind::Subject(_) => "trust.subject",
            ErrorKind::Predicate { .. } => "trust.predicate",
        }
    }

    fn class(&self) -> Class {
        match *self.0 {
            ErrorKind::Key(_) | ErrorKind::Root(_) | ErrorKind::Matcher { .. } => Class::Config,
            _ => Class::Content,
        }
    }

    fn help(&self) -> Option<String> {
        match *self.0 {
            ErrorKind::Key(_) => Some("give the .pub file that `kiln keygen` or `cosign` wrote".to_owned()),
            ErrorKind::Root(_) => Some(
                "give the trusted_root.json of the instance that signed (`cosign trusted-root create`)"
                    .to_owned(),
            ),
            ErrorKind::Refresh { .. } => Some(
                "nothing has changed; what was known before is still used while it is young enough"
                    .to_owned(),
            ),
            ErrorKind::LegacyCertificate => Some("sign again with cosign 3, which writes bundles".to_owned()),
            _ => None,
        }
    }
}
