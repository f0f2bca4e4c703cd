//! Tokens that CI systems hand to jobs.

use kiln_fetch::{Question, Redacted};
use serde::Deserialize;

use crate::transport::{Service, Transport, refusal, reply, unfit};
use crate::{Error, TOKEN_MAX, Token};

/// For whom tokens are made that a certificate authority of Sigstore takes.
const AUDIENCE: &str = "sigstore";

/// What a job was told of where tokens come from.
#[derive(Clone, Debug, Default)]
pub struct Ambient {
    /// A token itself, as GitLab CI gives it in a variable (`SIGSTORE_ID_TOKEN`).
    pub token: Option<Redacted<String>>,
    /// Where a job of GitHub Actions asks for one.
    pub github: Option<GithubActions>,
}

/// `ACTIONS_ID_TOKEN_REQUEST_URL` and `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
/// Source: GitHub, "Configuring OpenID Connect in cloud providers".
#[derive(Clone, Debug)]
pub struct GithubActions {
    /// Where to ask; it has a query already.
    pub url: String,
    /// What to ask with.
    pub bearer: Redacted<String>,
}

#[derive(Deserialize)]
struct Answer {
    value: String,
}

/// The token of the job that this runs in; `None` where it is no job that may have one.
pub fn ambient(transport: &dyn Transport, job: &Ambient) -> Result<Option<Token>, Error> {
    if let Some(token) = &job.token {
        return Token::read(token.expose()).map(Some);
    }
    let Some(github) = &job.github else { return Ok(None) };
    let separator = if github.url.contains('?') { '&' } else { '?' };
    let question = Question {
        url: format!("{}{separator}audience={AUDIENCE}", github.url),
        body: None,
        accept: "application/json",
        bearer: Some(github.bearer.clone()),
        cap: TOKEN_MAX as u64 + 1024,
    };
    let reply = reply(transport, Service::CiTokens, &question)?;
    if !reply.is_fine() {
        return Err(refusal(Service::CiTokens, &reply, &[github.bearer.expose()]));
    }
    let answer: Answer =
        serde_json::from_slice(&reply.body).map_err(|_| unfit(Service::CiTokens, "it holds no token"))?;
    Token::read(&answer.value).map(Some)
}
