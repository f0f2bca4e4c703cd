use std::fmt;
use std::io::Read;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::http::header::LOCATION;
use crate::http::{
    self, Connections, Http, Method, Pace, Payload, Request, Response, Retry, passes, retry_after,
};
use crate::redacted::Redacted;
use crate::url::{Url, shown};

/// How services are asked.
#[derive(Clone, Debug)]
pub struct ExchangeOptions {
    /// Certificates to trust besides those of the machine.
    pub ca_files: Vec<PathBuf>,
    /// How long one question may take, from its first byte to the last byte of the answer.
    pub timeout: Duration,
    /// When a question is asked again that got no answer, or was told to come back.
    pub retry: Retry,
}

impl Default for ExchangeOptions {
    fn default() -> Self {
        let retry = Retry { attempts: 3, backoff: Duration::from_secs(1), ..Retry::default() };
        Self { ca_files: Vec::new(), timeout: Duration::from_mins(1), retry }
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
    http: Http,
    /// For services of this machine: without TLS, a proxy would see what is said to them.
    direct: Http,
    options: ExchangeOptions,
}

impl Exchange {
    /// Nobody is asked yet.
    pub fn new(options: ExchangeOptions) -> Result<Self, Error> {
        let by = Connections { ca_files: &options.ca_files, ..Connections::default() };
        let http = Http::new(by, options.timeout)?;
        Ok(Self { http, direct: Http::direct(&options.ca_files, options.timeout)?, options })
    }

    /// Asks, again where that may help. A redirect is an error: what was asked, and the token with it, is for this host.
    pub fn ask(&self, question: &Question) -> Result<Reply, Error> {
        let url = Url::read(&question.url)?;
        if !is_private_to_us(&url) {
            return Err(ErrorKind::Plain { url: url.shown() }.into());
        }
        let mut tries = self.options.retry.tries();
        loop {
            let (answer, after) = self.once(&url, question);
            let may_pass = match &answer {
                // A service that broke over what it was sent may have done it.
                Ok(Reply { status: 500, .. }) if question.body.is_some() => false,
                Ok(reply) => passes(reply.status) && self.options.retry.allows(after),
                Err(error) => error.is_transient(&self.options.retry),
            };
            if !may_pass || tries.is_last() {
                return answer;
            }
            tries.wait(after);
        }
    }

    /// The answer, and how long the service wants to be left alone.
    fn once(&self, url: &Url, question: &Question) -> (Result<Reply, Error>, Option<Duration>) {
        let failed = |source| Error::from(ErrorKind::Ask { url: url.shown(), source: Box::new(source) });
        let http = if url.https { &self.http } else { &self.direct };
        let bearer = question.bearer.as_ref().map(|token| format!("Bearer {}", token.expose()));
        let (method, payload) = match &question.body {
            None => (Method::GET, Payload::None),
            Some((kind, bytes)) => (Method::POST, Payload::Bytes { bytes, kind }),
        };
        let mut request = Request::new(method, url.clone(), payload).accept(question.accept);
        request.timeout = Some(self.options.timeout);
        match http.send(&mut request, bearer.as_deref()) {
            Ok(response) => {
                let after = retry_after(&response);
                (read(url, response, question.cap), after)
            }
            Err(source) => (Err(failed(source)), None),
        }
    }
}

fn read(url: &Url, response: Response, cap: u64) -> Result<Reply, Error> {
    let status = response.status().as_u16();
    if (300..400).contains(&status) {
        return Err(ErrorKind::Moved { url: url.shown() }.into());
    }
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let location = location.map(str::to_owned);
    let mut body = Vec::new();
    http::body(response, Pace::default())
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
