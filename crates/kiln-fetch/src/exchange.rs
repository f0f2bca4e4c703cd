use std::fmt;
use std::io::Read;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ureq::http::Response;
use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION};
use ureq::{Agent, Body};

use crate::agent::agent;
use crate::error::{Error, ErrorKind};
use crate::redacted::Redacted;
use crate::url::{Url, shown};

/// How services are asked.
#[derive(Clone, Debug)]
pub struct ExchangeOptions {
    /// Certificates to trust besides those of the machine.
    pub ca_files: Vec<PathBuf>,
    /// How long one question may take, from its first byte to the last byte of the answer.
    pub timeout: Duration,
    /// How often a question is asked that got no answer, or was told to come back.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles from one attempt to the next.
    pub backoff: Duration,
}

impl Default for ExchangeOptions {
    fn default() -> Self {
        Self {
            ca_files: Vec::new(),
            timeout: Duration::from_mins(1),
            attempts: 3,
            backoff: Duration::from_secs(1),
        }
    }
}

/// Something asked of a service. It is sent over TLS, or to this machine.
#[derive(Clone)]
pub struct Question {
    /// Where.
    pub url: String,
    /// Media type and content; without it, the question is a GET.
    pub body: Option<(&'static str, Vec<u8>)>,
    /// Which media type the answer should have.
    pub accept: &'static str,
    /// A bearer token for this host.
    pub bearer: Option<Redacted<String>>,
    /// How large the answer may be, in bytes.
    pub cap: u64,
}

/// What is sent may hold secrets.
impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.body.as_ref().map_or(0, |(_, body)| body.len());
        write!(f, "Question({}, {size} bytes)", shown(&self.url))
    }
}

/// What a service said, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status code; never one of a redirect.
    pub status: u16,
    /// Where the server says that something is, in case of 201 and 409.
    pub location: Option<String>,
    /// All of the content.
    pub body: Vec<u8>,
}

impl Reply {
    /// Whether the service did what it was asked.
    pub fn is_fine(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Short conversations with services: a question, an answer that is held in memory.
pub struct Exchange {
    agent: Agent,
    options: ExchangeOptions,
}

impl Exchange {
    /// Nobody is asked yet.
    pub fn new(options: ExchangeOptions) -> Result<Self, Error> {
        Ok(Self { agent: agent(&options.ca_files, None, options.timeout)?, options })
    }

    /// Asks, again where that may help. A redirect is an error: what was asked, and the token with it, is for this host.
    pub fn ask(&self, question: &Question) -> Result<Reply, Error> {
        let url = Url::read(&question.url)?;
        if !is_private_to_us(&url) {
            return Err(ErrorKind::Plain { url: url.shown() }.into());
        }
        let mut pause = self.options.backoff;
        for _ in 1..self.options.attempts {
            match self.once(&url, question) {
                Ok(reply) if !matches!(reply.status, 429 | 502..=504) => return Ok(reply),
                Err(error) if !error.is_transient() => return Err(error),
                _ => {}
            }
            std::thread::sleep(pause);
            pause *= 2;
        }
        self.once(&url, question)
    }

    fn once(&self, url: &Url, question: &Question) -> Result<Reply, Error> {
        let failed = |source| Error::from(ErrorKind::Ask { url: url.shown(), source: Box::new(source) });
        let bearer = question.bearer.as_ref().map(|token| format!("Bearer {}", token.expose()));
        let response = match &question.body {
            None => {
                let mut request = self.agent.get(&url.text).header(ACCEPT, question.accept);
                if let Some(bearer) = bearer {
                    request = request.header(AUTHORIZATION, bearer);
                }
                request.config().timeout_global(Some(self.options.timeout)).build().call()
            }
            Some((kind, body)) => {
                let request = self.agent.post(&url.text).header(ACCEPT, question.accept);
                let mut request = request.header(CONTENT_TYPE, *kind);
                if let Some(bearer) = bearer {
                    request = request.header(AUTHORIZATION, bearer);
                }
                request.config().timeout_global(Some(self.options.timeout)).build().send(&body[..])
            }
        };
        read(url, response.map_err(failed)?, question.cap)
    }
}

fn read(url: &Url, response: Response<Body>, cap: u64) -> Result<Reply, Error> {
    let status = response.status().as_u16();
    if (300..400).contains(&status) {
        return Err(ErrorKind::Moved { url: url.shown() }.into());
    }
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let location = location.map(str::to_owned);
    let mut body = Vec::new();
    let reader = response.into_body().into_with_config().limit(u64::MAX).reader();
    reader
        .take(cap + 1)
        .read_to_end(&mut body)
        .map_err(|source| ErrorKind::Cut { url: url.shown(), source })?;
    if body.len() as u64 > cap {
        return Err(ErrorKind::Long { url: url.shown(), cap }.into());
    }
    Ok(Reply { status, location, body })
}

/// Whether nobody on the way can read what is sent there.
fn is_private_to_us(url: &Url) -> bool {
    let host =
        url.host.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map_or(&*url.host, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    url.https || host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_asked_without_tls() {
        let is = |text: &str| is_private_to_us(&Url::read(text).unwrap());
        for near in ["https://a.invalid/x", "http://127.0.0.1:1/x", "http://[::1]:2", "http://localhost:3/"] {
            assert!(is(near), "{near}");
        }
        for far in [
            "http://a.invalid/x",
            "http://127.0.0.1.a.invalid/",
            "http://10.0.0.1:80/",
            "http://localhost.a.invalid",
        ] {
            assert!(!is(far), "{far}");
        }
    }
}
