use kiln_finding::{Class, Diagnose};

/// Why nothing was signed.
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
    #[error("the key that is held elsewhere cannot be used: {0}")]
    Held(String),
    #[error("the key that is held elsewhere cannot be used")]
    HeldPublic { source: kiln_trust::Error },
    #[error("the key that is held elsewhere cannot be used: what came back is no signature by it")]
    HeldSignature,
    #[error("ask {program}")]
    Program { program: String, source: std::io::Error },
    #[error("write the private key: it is held elsewhere, and stays there")]
    Kept,
    #[error("the identity token cannot be used: {0}")]
    Token(String),
    #[error("the identity token is over")]
    Expired,
    #[error("the signing configuration cannot be used: {0}")]
    Config(String),
    #[error("sign without a key: no certificate authority is configured")]
    NoAuthority,
    #[error("sign without a key: neither a timestamp authority nor a log that tells the time is configured")]
    NoTime,
    #[error("{service} could not be asked")]
    Transport { service: &'static str, source: kiln_fetch::Error },
    #[error("{service} refused (status {status}): {said}")]
    Refused { service: &'static str, status: u16, said: String },
    #[error("the answer of {service} does not fit: {why}")]
    Answer { service: &'static str, why: String },
    #[error("write the signature of an {0} key to a log of the second generation")]
    LogKey(&'static str),
    #[error("what was signed is not accepted, and is thrown away")]
    Unproven { source: kiln_trust::Error },
    #[error("read the statement that is to be signed")]
    Statement { source: kiln_attest::Error },
    #[error("the statement that is to be signed is about nothing with a SHA-256")]
    Subject,
    #[error("log in: {0}")]
    Login(String),
    #[error("log in: wait for the browser")]
    Listen { source: std::io::Error },
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
            ErrorKind::Held(_)
            | ErrorKind::HeldPublic { .. }
            | ErrorKind::HeldSignature
            | ErrorKind::Program { .. }
            | ErrorKind::Kept => "sign.held_key",
            ErrorKind::Token(_) => "sign.token",
            ErrorKind::Expired => "sign.token_expired",
            ErrorKind::Config(_) => "sign.config",
            ErrorKind::NoAuthority => "sign.no_authority",
            ErrorKind::NoTime => "sign.no_time",
            ErrorKind::Transport { .. } => "sign.service",
            ErrorKind::Refused { .. } => "sign.refused",
            ErrorKind::Answer { .. } => "sign.answer",
            ErrorKind::LogKey(_) => "sign.log_key",
            ErrorKind::Unproven { .. } => "sign.unproven",
            ErrorKind::Statement { .. } | ErrorKind::Subject => "sign.statement",
            ErrorKind::Login(_) | ErrorKind::Listen { .. } => "sign.login",
        }
    }

    fn class(&self) -> Class {
        match &*self.0 {
            ErrorKind::Library(_) | ErrorKind::Public { .. } => Class::Bug,
            ErrorKind::Transport { source, .. } => source.class(),
            ErrorKind::Refused { status, .. } => Class::Remote { transient: *status >= 500 },
            ErrorKind::Answer { .. }
            | ErrorKind::Unproven { .. }
            | ErrorKind::Statement { .. }
            | ErrorKind::Subject
            | ErrorKind::HeldSignature => Class::Content,
            ErrorKind::Login(_)
            | ErrorKind::Listen { .. }
            | ErrorKind::Program { .. }
            | ErrorKind::Held(_) => Class::Environment,
            _ => Class::Config,
        }
    }

    fn help(&self) -> Option<String> {
        let text = match &*self.0 {
            ErrorKind::Password => "set KILN_PASSWORD (or COSIGN_PASSWORD) to the key's password",
            ErrorKind::Kind | ErrorKind::Format(_) => "make a key with `kiln keygen`",
            ErrorKind::Program { program, .. } => {
                return Some(format!("`{program}` must be on the PATH: it is how kiln reaches this key"));
            }
            ErrorKind::Expired => "tokens are good for minutes: ask for a new one right before signing",
            ErrorKind::NoAuthority => {
                "pass --signing-config FILE, or --fulcio-url with --rekor-url or --timestamp-server-url"
            }
            ErrorKind::NoTime => "pass --timestamp-server-url, or name one in the signing configuration",
            ErrorKind::LogKey(_) => "use an ECDSA P-256 key, as `kiln keygen` makes them",
            ErrorKind::Unproven { .. } => {
                "the trusted root and the services must be of the same instance, and the root must be new enough"
            }
            ErrorKind::Transport { source, .. } => return source.help(),
            _ => return None,
        };
        Some(text.to_owned())
    }
}
