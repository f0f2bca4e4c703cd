use kiln_fetch::{Exchange, Question, Reply};

use crate::Error;
use crate::error::ErrorKind;

/// Who asks services. The only way out of this crate.
pub trait Transport {
    /// Asks, and yields whatever was answered. Redirects, endless answers and silence are errors.
    fn ask(&self, question: &Question) -> Result<Reply, kiln_fetch::Error>;
}

impl Transport for Exchange {
    fn ask(&self, question: &Question) -> Result<Reply, kiln_fetch::Error> {
        Self::ask(self, question)
    }
}

/// A kind of service, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Authority,
    Log,
    Timestamps,
    Issuer,
    CiTokens,
}

impl Service {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Authority => "the certificate authority",
            Self::Log => "the transparency log",
            Self::Timestamps => "the timestamp authority",
            Self::Issuer => "the issuer of identities",
            Self::CiTokens => "the CI system's source of tokens",
        }
    }
}

/// How much of a refusal is shown.
const SAID_MAX: usize = 300;

/// Asks, and expects to be given what was asked for.
pub(crate) fn ask(
    transport: &dyn Transport,
    service: Service,
    question: &Question,
) -> Result<Vec<u8>, Error> {
    let reply = reply(transport, service, question)?;
    if reply.is_fine() { Ok(reply.body) } else { Err(refusal(service, &reply, &[])) }
}

pub(crate) fn reply(
    transport: &dyn Transport,
    service: Service,
    question: &Question,
) -> Result<Reply, Error> {
    transport.ask(question).map_err(|source| ErrorKind::Transport { service: service.name(), source }.into())
}

/// What a service said in place of an answer, without the `secrets` that it may have been told.
pub(crate) fn refusal(service: Service, reply: &Reply, secrets: &[&str]) -> Error {
    let mut said = String::from_utf8_lossy(&reply.body).into_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        said = said.replace(secret, "[redacted]");
    }
    let said: String = said.chars().filter(|char| !char.is_control()).take(SAID_MAX).collect();
    ErrorKind::Refused { service: service.name(), status: reply.status, said }.into()
}

/// An answer that does not fit.
pub(crate) fn unfit(service: Service, why: impl Into<String>) -> Error {
    ErrorKind::Answer { service: service.name(), why: why.into() }.into()
}
