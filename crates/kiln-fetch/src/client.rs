use ureq::http::Response;
use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_RANGE, ETAG, HeaderName, LOCATION, RANGE};
use ureq::{Agent, Body};

use crate::agent::agent_but;
use crate::closed::Closed;
use crate::credentials::Credentials;
use crate::download::Options;
use crate::error::{Error, ErrorKind};
use crate::url::Url;

const REDIRECTS: usize = 8;

/// Asks servers. It follows redirects itself, so that a credential goes to its own host and nowhere else.
pub(crate) struct Client {
    agent: Agent,
    credentials: Credentials,
    closed: Closed,
}

/// What a server sends.
pub(crate) struct Answer {
    /// The offset of the first byte: zero unless the server agreed to send only the rest.
    pub(crate) offset: u64,
    /// How many bytes will come, where the server says so.
    pub(crate) length: Option<u64>,
    /// What tells this version of a document that changes from others; weak tags are left out.
    pub(crate) tag: Option<String>,
    pub(crate) body: Body,
}

impl Client {
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        let closed = options.closed.clone();
        let agent = agent_but(&options.ca_files, options.proxy.as_deref(), options.stall, closed.clone())?;
        Ok(Self { agent, credentials: options.credentials.clone(), closed })
    }

    /// Asks for `url` from byte `offset` on.
    pub(crate) fn get(&self, url: &str, offset: u64, accept: Option<&str>) -> Result<Answer, Error> {
        let accept = accept.map(|accept| (ACCEPT, accept));
        self.get_with(url, offset, accept.as_slice())
    }

    /// The same, with more headers.
    pub(crate) fn get_with(
        &self,
        url: &str,
        offset: u64,
        headers: &[(HeaderName, &str)],
    ) -> Result<Answer, Error> {
        let mut url = Url::read(url)?;
        for _ in 0..=REDIRECTS {
            let response = self.ask(&url, offset, headers)?;
            let status = response.status().as_u16();
            match status {
                200 => return Ok(answer(response, 0)),
                206 => return partial(&url, offset, response),
                301 | 302 | 303 | 307 | 308 => url = next(&url, &response)?,
                _ => return Err(ErrorKind::Status { url: url.shown(), status }.into()),
            }
        }
        Err(ErrorKind::Redirects { url: url.shown() }.into())
    }

    fn ask(&self, url: &Url, offset: u64, headers: &[(HeaderName, &str)]) -> Result<Response<Body>, Error> {
        let mut request = self.agent.get(&url.text);
        if let Some(header) = self.credentials.header(url) {
            request = request.header(AUTHORIZATION, header);
        }
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        if offset > 0 {
            request = request.header(RANGE, format!("bytes={offset}-"));
        }
        let answer = self.closed.refuse(&url.host).and_then(|()| request.call());
        answer.map_err(|source| ErrorKind::Network { url: url.shown(), source: Box::new(source) }.into())
    }
}

fn answer(response: Response<Body>, offset: u64) -> Answer {
    let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
    let tag = tag.filter(|tag| tag.starts_with('"')).map(str::to_owned);
    let body = response.into_body();
    Answer { offset, length: body.content_length(), tag, body }
}

/// A 206 counts only if it starts where it was asked to.
fn partial(url: &Url, offset: u64, response: Response<Body>) -> Result<Answer, Error> {
    let starts = response
        .headers()
        .get(CONTENT_RANGE)
        .and_then(|range| range.to_str().ok())
        .and_then(|range| range.strip_prefix("bytes ")?.split_once('-')?.0.parse::<u64>().ok());
    if offset > 0 && starts == Some(offset) {
        return Ok(answer(response, offset));
    }
    Err(ErrorKind::Status { url: url.shown(), status: 206 }.into())
}

fn next(url: &Url, response: &Response<Body>) -> Result<Url, Error> {
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    url.follow(location.ok_or_else(|| ErrorKind::Redirects { url: url.shown() })?)
}
